"""What a prior is fitted on: the reference, and other inputs that its spec names. Free of torch.

The caller decides how to get a cloud: a page only looks into the store, the command line has a job
make it, a tuning job makes it itself.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.activations.clouds import Cloud, find_cloud, find_vocabulary
from core.array_types import Int64s
from core.errors import BadData, BadRequest
from core.fits.moments import Reference
from core.progress import Progress, silent
from core.sources.models import resolve_model
from core.specs.cloud import CloudSpec
from core.specs.model import ModelSpec
from core.specs.prior import Further, PriorSpec, RunPosterior, SecondCloud, VocabularyRows
from core.store.artifacts import Store
from core.store.listing import find_job
from core.store.prompts import read_prompt

Needed = CloudSpec | ModelSpec
"""A cloud by the spec of the job that makes it: token activations, or the vocabulary of a model."""


@dataclass(frozen=True)
class ReferenceRequest:
    """The reference to fit a prior on.

    Attributes:
        model: the frozen model.
        cloud: token activations that serve as the reference cloud; None: the vocabulary.
        site: where the stream is read.
    """

    model: ModelSpec
    cloud: CloudSpec | None = None
    site: int | str = 0

    @property
    def reference(self) -> Needed:
        """Return the reference cloud's own spec."""
        return self.model if self.cloud is None else self.cloud


@dataclass(frozen=True)
class References:
    """All inputs of a fit: `prior.fit(main.points, main.moments, further)`.

    Attributes:
        main: the reference cloud; without points, (0, d), if the prior reads none and none was
            requested.
        further: the other inputs that the spec names.
    """

    main: Reference
    further: tuple[Reference, ...]


def job_kind(needed: Needed) -> str:
    """Return the kind of job that makes a cloud."""
    return "vocabulary" if isinstance(needed, ModelSpec) else "capture"


def find(needed: Needed, store: Store) -> Cloud | None:
    """Return a cloud if it is in the store."""
    return find_vocabulary(needed, store) if isinstance(needed, ModelSpec) else find_cloud(needed, store)


def make(needed: Needed, store: Store, progress: Progress = silent) -> Cloud:
    """Return a cloud; if it is not in the store, make it in this process."""
    if isinstance(needed, ModelSpec):
        from core.activations.vocabulary import vocabulary_cloud

        return vocabulary_cloud(needed, store, progress)
    from core.activations.capture import capture

    return capture(needed, store, progress)[0]


def needed_clouds(prior: PriorSpec, request: ReferenceRequest, reference: bool = True) -> tuple[Needed, ...]:
    """Return the clouds that a fit reads, each once; with `reference` its reference cloud in any case."""
    needed = [request.reference] if reference or prior.reads_reference else []
    needed += [_cloud_of(further, request) for further in prior.further() if not isinstance(further, RunPosterior)]
    return tuple(dict.fromkeys(needed))


def missing_clouds(
    prior: PriorSpec, request: ReferenceRequest, store: Store, reference: bool = True
) -> tuple[Needed, ...]:
    """Return the `needed_clouds` that are not in the store; `job_kind` names the job for each."""
    return tuple(needed for needed in needed_clouds(prior, request, reference) if find(needed, store) is None)


def gather(
    prior: PriorSpec,
    request: ReferenceRequest,
    store: Store,
    get: Callable[[Needed], Cloud | None] | None = None,
    d_model: int | None = None,
) -> References:
    """Collect what a prior is fitted on.

    Args:
        prior: the prior to fit.
        request: its reference.
        store: where clouds and runs are.
        get: returns a cloud, making it if need be; without it, a cloud that is not stored is an
            error.
        d_model: width of the model; if given, a prior that does not read the reference cloud gets
            none.

    Raises:
        BadRequest: a cloud that is not in the store, or a run that does not fit.
        UnknownName: no such run.
        BadData: a text without tokens, or a model without a tokenizer file that can be read here.
    """
    clouds = {}
    for needed in needed_clouds(prior, request, reference=d_model is None):
        cloud = get(needed) if get else find(needed, store)
        if cloud is None:
            raise BadRequest(
                f"{_name(needed, request.site)} is not in the store yet; run the {job_kind(needed)} job first."
            )
        clouds[needed] = cloud
    if request.reference in clouds and (d_model is None or prior.reads_reference):
        main = _read(clouds[request.reference], request.reference, request.site)
    else:
        main = Reference(np.empty((0, d_model or 0), np.float32))
    return References(main, tuple(_further(further, request, clouds, store) for further in prior.further()))


def _cloud_of(further: VocabularyRows | SecondCloud, request: ReferenceRequest) -> Needed:
    """Return the cloud of a further input; a second data set is captured like the reference."""
    if isinstance(further, VocabularyRows):
        return request.model
    like = request.cloud or CloudSpec(model=request.model, sites=(request.site,))
    return like.model_copy(update={"dataset": further.dataset})


def _further(further: Further, request: ReferenceRequest, clouds: dict[Needed, Cloud], store: Store) -> Reference:
    if isinstance(further, RunPosterior):
        return _posterior(further.run, request, store)
    needed = _cloud_of(further, request)
    if isinstance(further, SecondCloud):
        return _read(clouds[needed], needed, request.site)
    counted = clouds.get(request.reference) if further.counted and request.cloud else None
    return _vocabulary(further, clouds[needed], request, counted, store)


def _read(cloud: Cloud, needed: Needed, site: int | str) -> Reference:
    where = 0 if isinstance(needed, ModelSpec) else site
    return Reference(cloud.points(where), cloud.moments(where), name=_name(needed, site), key=cloud.key, site=where)


def _vocabulary(
    further: VocabularyRows, cloud: Cloud, request: ReferenceRequest, counted: Cloud | None, store: Store
) -> Reference:
    """Return the chosen rows, with exact moments if they are all rows."""
    name, points = _name(request.model, 0), cloud.points(0)
    if further.text:
        ids = _tokenize(further.text, request.model, store)
        return Reference(points[ids], name=f"{name}, {len(ids)} tokens of a text", key=cloud.key)
    counts = None
    if counted is not None:
        counts = np.bincount(counted.rows["token_id"], minlength=len(points))
    if further.special:
        return Reference(points, cloud.moments(0), counts, name, cloud.key)
    plain = np.flatnonzero(~cloud.rows["special"].to_numpy(bool))
    return Reference(points[plain], None, None if counts is None else counts[plain], name, cloud.key)


def _tokenize(text: str, model: ModelSpec, store: Store) -> Int64s:
    """Return the token ids of a text without those that a tokenizer adds around it.

    `tokenizers` reads the one file that all fast tokenizers share, so no page needs transformers
    for it.
    """
    from tokenizers import Tokenizer

    file = resolve_model(model, store).folder / "tokenizer.json"
    if not file.is_file():
        raise BadData(
            f"The model {model.name!r} has no tokenizer.json to read a text with; choose other rows than 'text'."
        )
    ids = Tokenizer.from_file(str(file)).encode(text, add_special_tokens=False).ids
    if not ids:
        raise BadData(f"The text {text!r} has no tokens in the model {model.name!r}; give another text.")
    return np.asarray(ids, np.int64)


def _posterior(run: str, request: ReferenceRequest, store: Store) -> Reference:
    """Return the tuned prompt of a run at the requested site."""
    job = find_job(store, run)
    model, path = job.spec.get("model", {}).get("name"), job.file("posterior.safetensors")
    if model != request.model.name:
        raise BadRequest(
            f"Run {job.id} tuned {model!r}, not {request.model.name!r}, so its vectors mean nothing there; choose a "
            "run of the same model."
        )
    if job.status().state != "succeeded" or not path.is_file():
        raise BadRequest(f"Run {job.id} is {job.status().state} and has no posterior yet; choose a finished run.")
    sites, vectors = read_prompt(path)
    if request.site not in sites:
        have = ", ".join(map(str, sites))
        raise BadRequest(
            f"Run {job.id} has no prompt at site {request.site}, only at: {have}; choose a run that prompts that site."
        )
    return Reference(vectors[sites.index(int(request.site))], name=job.id, key=job.id, site=request.site)


def _name(needed: Needed, site: int | str) -> str:
    if isinstance(needed, ModelSpec):
        return f"The vocabulary of {needed.name}"
    return f"{needed.dataset.label} at site {site} of {needed.model.name}"

"""The one way to a fitted prior: at once where that is quick, from the store where a fit takes long.

Whoever samples a prior (a tuning run, the command line, a page) calls `fit_prior` or `find_fit`, so
that all of them draw from the same fit. Free of torch until something must be trained.
"""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.numpy import load_file, save_file

from core.activations.clouds import stored_infos
from core.errors import BadRequest
from core.priors.base import Prior, prior_class
from core.priors.kept import KeptPrior, Learnt
from core.priors.matching import Matched, build_prior
from core.progress import Progress, silent
from core.specs.base import JsonObject, fingerprint
from core.specs.prior import PriorSpec
from core.specs.reading import read_json
from core.store.artifacts import Artifact, Store

if TYPE_CHECKING:
    from core.activations.references import References

FIT = "fit"
"""Kind of the artifacts that hold what priors have learnt, and of the jobs that make them."""
VERSION = "1"
"""Goes up when the same prior would learn something else of the same cloud."""
OPERATIONS_GUESSED = 3e10
"""Per second, on one core, before the first fit of a kind here."""
_TENSORS, _FACTS = "learnt.safetensors", "facts.json"


def takes_long(spec: PriorSpec) -> bool:
    """Return whether a prior's fit is worth a job, and is kept."""
    return issubclass(prior_class(spec), KeptPrior)


def fit_prior(spec: PriorSpec, references: "References", store: Store, progress: Progress = silent) -> Prior[Any]:
    """Return a fitted prior; one whose fit takes long is read from the store, and learnt and kept if it is not there.

    Args:
        spec: the prior.
        references: what it is fitted on, see `core.activations.references.gather`.
        store: where fits are kept. References without a key name no cloud, and a fit on such is not
            kept.
        progress: of the learning.

    Raises:
        BadRequest, Diverged: as the prior's `fit`.
        Cancelled: by `progress`; nothing is kept then.
    """
    prior, main = build_prior(spec), references.main
    kept = _inner(prior)
    key = fit_key(spec, references)
    if not isinstance(kept, KeptPrior) or key is None:
        return prior.fit(main.points, main.moments, references.further)
    wanted = _what_is_learnt(spec)

    def build(folder: Path) -> JsonObject:
        began = time.monotonic()
        learnt = kept.learn(main.points, main.moments, references.further, progress)
        save_file({name: array.copy() for name, array in learnt.tensors.items()}, folder / _TENSORS)
        (folder / _FACTS).write_text(json.dumps(learnt.facts, allow_nan=False))
        shape = {"n_points": len(main.points), "d_model": main.points.shape[1]}
        done = {"operations": kept.operations(**shape) * learnt.share_done, "seconds": time.monotonic() - began}
        return {"kind": spec.kind, "reference": main.name, **shape, **done}

    artifact, _ = store.make(FIT, key, {"prior": wanted.as_json()}, build, progress=progress)
    return _restored(prior, artifact, references)


def find_fit(spec: PriorSpec, references: "References", store: Store) -> Prior[Any] | None:
    """Return a fitted prior, or None where its fit takes long and is not in the store.

    Raises:
        BadRequest: as the prior's `fit`.
    """
    prior, key = build_prior(spec), fit_key(spec, references)
    if not takes_long(spec):
        return prior.fit(references.main.points, references.main.moments, references.further)
    artifact = store.find(FIT, key) if key else None
    return _restored(prior, artifact, references) if artifact else None


def fit_key(spec: PriorSpec, references: "References") -> str | None:
    """Return what names a stored fit: the prior as far as it learns, its clouds and their sites, and the algorithm.

    Returns:
        the key, or None where a cloud is not from the store and has no name.
    """
    clouds = (references.main, *references.further)
    if not all(cloud.key for cloud in clouds):
        return None
    names = [f"{cloud.key} {cloud.site}" for cloud in clouds]
    return fingerprint(_what_is_learnt(spec).canonical_json(), *names, VERSION)


def estimate_fit(spec: PriorSpec, n_points: int, d_model: int, store: Store) -> tuple[float, str]:
    """Return how long a fit takes at most, in seconds, and 'measured' or 'guess'.

    Args:
        spec: a prior that takes long.
        n_points: of the reference cloud.
        d_model: its width.
        store: with earlier fits of the kind, whose pace counts.
    """
    needed = _inner(build_prior(spec)).operations(n_points, d_model)
    for _, info in stored_infos(store, FIT):
        if info["kind"] == spec.kind:
            return needed * info["seconds"] / info["operations"], "measured"
    return needed / OPERATIONS_GUESSED, "guess"


def require_long(spec: PriorSpec) -> None:
    """Check that a prior's fit is a job of its own.

    Raises:
        BadRequest: it is done at once.
    """
    if not takes_long(spec):
        raise BadRequest(
            f"The prior {spec.kind!r} is fitted at once, wherever it is sampled; only priors that take long to fit "
            "are jobs."
        )


def _what_is_learnt(spec: PriorSpec) -> PriorSpec:
    """Return the spec with what changes nothing of the fit at its default."""
    unmatched: dict[str, str | None] = {"match_trace": "none", "target_trace": None}
    only_drawing = getattr(prior_class(spec), "only_drawing", ())
    return spec.model_copy(
        update=unmatched | {name: type(spec).model_fields[name].get_default() for name in only_drawing}
    )


def _inner(prior: Prior[Any]) -> Any:
    return prior.prior if isinstance(prior, Matched) else prior


def _restored(prior: Prior[Any], artifact: Artifact, references: "References") -> Prior[Any]:
    main, kept = references.main, _inner(prior)
    facts = read_json(artifact.folder / _FACTS)
    kept.restore(Learnt(load_file(artifact.folder / _TENSORS), facts), main.points)
    return prior.match(main.points, main.moments) if isinstance(prior, Matched) else prior

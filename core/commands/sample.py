"""`sample`: draw from a prior."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from safetensors.numpy import save

from core.activations.clouds import Cloud
from core.activations.references import Needed, ReferenceRequest, find, gather, job_kind
from core.commands.jobs import ensure
from core.commands.options import Given, Json, requested, takes
from core.commands.output import emit
from core.errors import BadRequest
from core.priors.docs import prior_help
from core.priors.fitting import FIT, find_fit
from core.specs import CloudSpec, DatasetSpec, FitSpec, ModelSpec, parse_prior
from core.store import Store
from core.store.files import disk_errors, write_atomically


@dataclass(frozen=True)
class SampleRequest:
    """Which prior to fit where, and how much to draw from it; options of the verb."""

    prior: Annotated[str, typer.Option(help=prior_help(), metavar="JSON")]
    out: Annotated[Path, typer.Option(help="File to write; its tensor is called 'prompt'.", metavar="FILE.safetensors")]
    n: Annotated[int, typer.Option("-n", min=1, max=10_000_000, help="How many vectors to draw.")] = 20
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seed of the sample.")] = 0
    site: Annotated[str, typer.Option(help="Site of the cloud that the prior is fitted on.")] = "0"
    vocabulary: Annotated[bool, typer.Option("--vocabulary", help="Fit on the vocabulary instead of a data set.")] = (
        False
    )


@takes(model=ModelSpec, dataset=DatasetSpec)
@requested
def sample(request: SampleRequest, model: Given, dataset: Given, json: Json = False) -> None:
    """Fit a prior on a cloud and draw from it."""
    spec, out, seed = parse_prior(request.prior), request.out, request.seed
    if not out.parent.is_dir():
        raise BadRequest(f"The folder {str(out.parent)!r} of --out does not exist; create it or choose another.")
    if request.vocabulary and request.site != "0":
        raise BadRequest(f"The vocabulary is at site 0, not {request.site!r}; leave out --site or --vocabulary.")
    store = Store.default()
    place = _place(request, model, dataset)
    reference = gather(spec, place, store, get=lambda needed: _made(needed, store))
    main = reference.main
    asked = FitSpec(prior=spec, model=place.model, reference=place.cloud, site=place.site)
    fitted, _ = ensure(lambda: find_fit(spec, reference, store), FIT, asked, store)
    drawn = fitted.sample(request.n, np.random.default_rng(seed))
    with disk_errors(out.parent):
        write_atomically(out, save({"prompt": drawn}, metadata={"prior": spec.canonical_json(), "seed": str(seed)}))
    emit(
        {
            "prior": spec.as_json(),
            "reference": {
                "cloud": main.key,
                "site": place.site,
                "n_points": main.moments.count if main.moments else len(main.points),
            },
            "further": [{"name": cloud.name, "key": cloud.key} for cloud in reference.further],
            "shape": list(drawn.shape),
            "seed": seed,
            "out": str(out),
            "report": fitted.report(),
        },
        json,
    )


def _place(request: SampleRequest, model: Given, dataset: Given) -> ReferenceRequest:
    """Return the reference that a prior is fitted on."""
    chosen = ModelSpec.parse(model)
    if request.vocabulary:
        return ReferenceRequest(chosen)
    if not dataset:
        raise BadRequest("A prior is fitted on a cloud; give --vocabulary or --dataset.")
    spec = CloudSpec.parse({"model": model, "dataset": dataset, "sites": (request.site,)})
    return ReferenceRequest(chosen, spec, spec.sites[0])


def _made(needed: Needed, store: Store) -> Cloud:
    """Return a cloud; a job makes it if it is missing."""
    return ensure(lambda: find(needed, store), job_kind(needed), needed, store)[0]

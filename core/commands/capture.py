"""`capture`: activations of a model on a data set."""

from typing import Annotated

import typer

from core.activations import clouds
from core.activations.estimate import estimate as estimate_cost
from core.commands.jobs import ensure
from core.commands.options import Given, Json, takes
from core.commands.output import Document, emit
from core.specs import CloudSpec, DatasetSpec, ModelSpec, TokenFilter
from core.store import Store


@takes(cloud=CloudSpec, model=ModelSpec, dataset=DatasetSpec, tokens=TokenFilter)
def capture(
    cloud: Given,
    model: Given,
    dataset: Given,
    tokens: Given,
    json: Json = False,
    estimate: Annotated[bool, typer.Option("--estimate", help="Only show what it would cost.")] = False,
) -> None:
    """Capture the activations of a model on a data set; a second call reads them from the store."""
    spec = CloudSpec.parse({**cloud, "model": model, "dataset": dataset, "tokens": tokens})
    store = Store.default()
    if estimate:
        emit(estimate_cost(spec, store), json)
        return
    found, cached = ensure(lambda: clouds.find_cloud(spec, store), "capture", spec, store)
    emit({**summary(found), "cached": cached}, json)


def summary(cloud: clouds.Cloud) -> Document:
    """Return what the verb reports about a cloud."""
    names = ("n_rows", "n_tokens", "n_documents", "d_model", "seconds", "tokens_per_second", "bytes")
    return {"key": cloud.key, "sites": list(cloud.sites), **{name: cloud.info[name] for name in names}}

"""The demo: everything from an empty cache folder to a tuned prompt, one job after the other.

What is done is read from the store, so that a reload, another browser or a restarted app goes on where it stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from core.activations.clouds import find_cloud, find_vocabulary
from core.activations.estimate import estimate
from core.engine.lookup import find
from core.jobs.costs import runs_cost, total
from core.jobs.projection import find_map
from core.priors.gaussian import GaussianSpec
from core.sources.datasets import find_dataset
from core.sources.models import ModelFacts
from core.sources.news import WHEEL as NEWS
from core.specs import FINAL, CloudSpec, DatasetSpec, ModelSpec, ProjectionSpec, Spec, TuningSpec
from core.store import JobFolder, Store
from pages.maps.clouds import fitted_spec
from pages.widgets.costs import NO_PACE, fetching, measured_seconds, vocabulary_bytes
from pages.widgets.jobs import state_of
from pages.widgets.layout import duration, size


@dataclass(frozen=True)
class Step:
    """One job of the demo, its state a key of `pages.widgets.jobs.MARKS`."""

    kind: str
    spec: Spec
    title: str
    state: str
    job: JobFolder | None


def demo_steps(model: ModelSpec, facts: ModelFacts, texts: str, store: Store) -> list[Step]:
    """Return the demo's jobs in order, each with its state; `texts` names the captured data set."""
    cloud, run = demo_cloud(model, facts, texts), demo_run(model)
    vocabulary_map = fitted_spec(ProjectionSpec(model=model, vocabulary=True))
    planned: list[tuple[str, Spec, str, bool]] = [
        ("vocabulary", model, "Fetch the model, read its vocabulary", find_vocabulary(model, store) is not None),
        ("projection", vocabulary_map, "Fit the map of the vocabulary", find_map(vocabulary_map, store) is not None),
        ("capture", cloud, f"Capture activations of 200 texts ({texts})", find_cloud(cloud, store) is not None),
        ("tune", run, "Tune 20 prompt vectors on sums, 60 steps", False),
    ]
    steps = []
    for kind, spec, title, there in planned:
        job = find(kind, spec, store)
        made = there or (kind == "tune" and job is not None and job.status().state == "succeeded")
        steps.append(Step(kind, spec, title, state_of(job, made), job))
    return steps


def demo_cloud(model: ModelSpec, facts: ModelFacts, texts: str) -> CloudSpec:
    """Return the demo's activations: the embeddings, a middle site and the last."""
    middle = (facts.n_layers or 2) // 2
    return CloudSpec(
        model=model,
        dataset=DatasetSpec.parse({"name": texts, "samples": 200}),
        sites=(0, middle, FINAL),
        max_length=128,
    )


def demo_run(model: ModelSpec) -> TuningSpec:
    """Return the demo's tuning run: short, on easy sums, from a Gaussian fitted on the vocabulary."""
    return TuningSpec(
        model=model,
        dataset=DatasetSpec(name="math"),
        prior=GaussianSpec(),
        steps=60,
        evaluate_every=20,
        snapshot_every=5,
        n_validation=64,
        n_generation=16,
        max_new_tokens=8,
        warmup_steps=5,
        learning_rate=5e-3,
    )


def demo_cost(left: Sequence[Spec], facts: ModelFacts, store: Store) -> str:
    """Say what the remaining jobs of the demo cost; maps cost next to nothing."""
    words: list[str] = []
    costs: list[tuple[float | None, float | None]] = []
    for spec in left:
        match spec:
            case ModelSpec():
                words.append(fetching(spec, facts))
                costs.append((vocabulary_bytes(facts), None))
            case CloudSpec():
                if spec.dataset.name == "news" and find_dataset(spec.dataset, store) is None:
                    words.append(f"The texts are downloaded: {size(NEWS.n_bytes)}.")
                cost = estimate(spec, store)
                costs.append((cost["bytes"], measured_seconds(cost)))
            case TuningSpec():
                run = runs_cost([spec], store)
                costs.append((run.bytes, run.seconds))
    n_bytes, seconds = total(n for n, _ in costs), total(time for _, time in costs)
    if n_bytes:
        words.append(f"The results take {size(n_bytes)} of disk.")
    words.append(f"About {duration(seconds)}, at the pace measured here." if seconds else NO_PACE)
    return " ".join(word for word in words if word)

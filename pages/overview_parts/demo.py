"""The demo: everything from an empty cache folder to a tuned prompt, one job after the other.

What is done is read from the store, so that a reload, another browser or a restarted app goes on where it stands.
"""

from dataclasses import dataclass
from typing import Literal

from core.activations.clouds import find_cloud, find_vocabulary
from core.jobs.projection import find_map
from core.priors.gaussian import GaussianSpec
from core.sources.models import ModelFacts
from core.specs import FINAL, CloudSpec, DatasetSpec, ModelSpec, ProjectionSpec, Spec, TuningSpec
from core.store import JobFolder, Store
from pages.widgets.clouds import fitted_spec
from pages.widgets.offers import job_of


@dataclass(frozen=True)
class Step:
    """One job of the demo.

    Attributes:
        kind: of job.
        spec: what is asked for.
        title: for a person.
        state: 'done', 'begun' (its job exists) or 'open'.
        job: once there is one.
    """

    kind: str
    spec: Spec
    title: str
    state: Literal["done", "begun", "open"]
    job: JobFolder | None


def demo_steps(model: ModelSpec, facts: ModelFacts, texts: str, store: Store) -> list[Step]:
    """Return the demo's jobs in order with how each stands.

    Args:
        model: to run it with.
        facts: of that model.
        texts: name of the data set whose activations are captured.
        store: the cache folder.
    """
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
        job = job_of(kind, [spec], store)
        done = there or (kind == "tune" and job is not None and job.status().state == "succeeded")
        steps.append(Step(kind, spec, title, "done" if done else "begun" if job else "open", job))
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

"""The demo: everything from an empty cache folder to three priors compared, as one job.

It has other jobs done, one after the other, and goes on when the page that started it is closed. What is done is read
from the store, so that the job, asked for again, does what is left. Free of torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from core.activations.clouds import find_cloud, find_vocabulary
from core.engine.lookup import find, find_succeeded, found_or_made
from core.engine.tasks import Result, Task
from core.jobs.measure import measure_spec
from core.jobs.nested import nested
from core.jobs.projection import find_map
from core.lm.sites import resolve_prompt_sites
from core.progress import Progress
from core.sources.models import describe_model
from core.specs import CloudSpec, DatasetSpec, ModelSpec, ProjectionSpec, Spec, TuningSpec, parse_prior
from core.specs.demo import DemoSpec
from core.store import JobFolder, Store

PRIORS = ("gaussian", "exclusion", "xavier")
N_TEXTS = 100
LONGEST_TEXT = 64
"""Tokens of a text: with `N_TEXTS` a quarter of a minute's reading on two cores."""
N_SUMS = 200
VOCABULARY, CLOUD, PROMPTS = "vocabulary", "cloud", "prompts"
"""What the demo draws, in this order."""


@dataclass(frozen=True)
class Planned:
    """One job of the demo.

    Attributes:
        kind: of job.
        spec: of the job.
        title: shown to people.
        picture: which of its pictures begins when the job is done, or "".
    """

    kind: str
    spec: Spec
    title: str
    picture: str = ""

    def made(self, store: Store) -> bool:
        """Return whether what the job makes is in the store."""
        match self.spec:
            case ModelSpec():
                return find_vocabulary(self.spec, store) is not None
            case ProjectionSpec():
                return find_map(self.spec, store) is not None
            case CloudSpec():
                return find_cloud(self.spec, store) is not None
        return find_succeeded(self.kind, self.spec, store) is not None


def demo_plan(spec: DemoSpec, store: Store) -> list[Planned]:
    """Return the demo's jobs in order; measures are among them once their runs have ended.

    Until the model is here, the site of the cloud may not be known, and is 0.
    """
    n_layers = describe_model(spec.model, store).n_layers or 1
    cloud = demo_cloud(spec, n_layers)
    runs = [demo_run(spec, kind) for kind in PRIORS]
    at_cloud = ProjectionSpec(model=spec.model, site=cloud.sites[0], clouds=(cloud,), n_components=3)
    plan = [
        Planned("vocabulary", spec.model, "Fetch the model, read its vocabulary"),
        Planned("projection", vocabulary_map(spec), "Fit the map of the vocabulary", VOCABULARY),
        Planned("capture", cloud, f"Capture activations of {N_TEXTS} texts ({spec.texts})"),
        Planned("projection", at_cloud, f"Fit the map of site {cloud.sites[0]}", CLOUD),
        Planned("projection", prompt_map(runs[0], n_layers), "Fit the map before the last block", PROMPTS),
    ]
    plan += [Planned("tune", run, f"Tune deep prompts, prior {run.prior.kind}, {run.steps} steps") for run in runs]
    for run in runs:
        job = find("tune", run, store)
        if job and job.status().state == "succeeded":
            plan.append(Planned("measure", measure_spec(job), f"Measure the posterior from {run.prior.kind}"))
    return plan


def demo_cloud(spec: DemoSpec, n_layers: int) -> CloudSpec:
    """Return the demo's activations, in the middle of the model."""
    dataset = DatasetSpec.parse({"name": spec.texts, "samples": N_TEXTS})
    return CloudSpec(model=spec.model, dataset=dataset, sites=(n_layers // 2,), max_length=LONGEST_TEXT)


def vocabulary_map(spec: DemoSpec) -> ProjectionSpec:
    """Return the map of the vocabulary."""
    return ProjectionSpec(model=spec.model, vocabulary=True, n_components=3)


def prompt_map(run: TuningSpec, n_layers: int) -> ProjectionSpec:
    """Return the map that prompts are shown on: of the activations that their priors are fitted on."""
    sites = resolve_prompt_sites(run, n_layers)
    return ProjectionSpec(model=run.model, site=sites[0], clouds=(run.activations(*sites),), n_components=3)


def demo_run(spec: DemoSpec, prior: str) -> TuningSpec:
    """Return a tuning run of the demo: deep prompts before the last block, on easy sums, without answers.

    The blocks below are computed once for all three runs (`cache_trunk`).
    """
    return TuningSpec(
        model=spec.model,
        dataset=DatasetSpec(name="math", samples=N_SUMS),
        method="deep",
        prompt_sites=(-1,),
        prior=parse_prior(prior),
        steps=60,
        batch_size=8,
        warmup_steps=5,
        learning_rate=0.03,
        rate_unit="relative",
        evaluate_every=20,
        snapshot_every=2,
        n_validation=32,
        n_generation=0,
    )


def demo_runs(spec: DemoSpec, store: Store) -> list[JobFolder]:
    """Return the demo's runs that were asked for, in the order of `PRIORS`."""
    found = [find("tune", demo_run(spec, kind), store) for kind in PRIORS]
    return [job for job in found if job]


def left_of(plan: Sequence[Planned], store: Store) -> list[Planned]:
    """Return the jobs of a plan that are not done."""
    return [planned for planned in plan if not planned.made(store)]


def run_demo(spec: DemoSpec, job: JobFolder, store: Store, progress: Progress) -> Result:
    """Have done what is left of the demo.

    Returns:
        runs: ids of the three runs.

    Raises:
        BadRequest, Failed: a job it needs has failed.
        Cancelled: by the progress; the inner job is cancelled as well.
    """
    perform = nested(job, store, progress)
    while left := left_of(demo_plan(spec, store), store):
        found_or_made(lambda step=left[0]: step.made(store) or None, lambda step=left[0]: perform(step.kind, step.spec))
    return {"runs": [run.id for run in demo_runs(spec, store)]}


DEMO = Task("demo", "o", DemoSpec, run_demo, "study")

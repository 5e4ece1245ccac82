"""What a worker can be asked to do: each kind of job, its spec, its lane, and the function that does it.

Functions import what they need when they are called: a page that submits a job never loads torch.

Further kinds come from the modules that `PRIORSCOPE_EXTRA_TASKS` names (separated by commas); such a module calls
`register` when it is imported, in the engine as well as in the process that submits.
"""

import importlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from core.errors import BadRequest, UnknownName
from core.progress import Progress
from core.specs import (
    AtlasSpec,
    CloudSpec,
    FitSpec,
    HygieneSpec,
    MeasureSpec,
    ModelSpec,
    PathsSpec,
    ProjectionSpec,
    Spec,
    TrajectorySpec,
    TuningSpec,
)
from core.specs.projection import PlacementSpec
from core.store import JobFolder, Store

Lane = Literal["train", "heavy", "quick", "study"]
LANES: tuple[Lane, ...] = ("train", "heavy", "quick", "study")
"""One job a lane at a time on each worker: a training job, a long job beside it, a short request past both, and a job
that only waits for others."""
LAYERS_ABOVE = ("core.studies.jobs", "core.studies.decide")
"""Modules of layers above this one that put their own kinds on the list; named, so that imports go down only."""
EXTRA_TASKS = "PRIORSCOPE_EXTRA_TASKS"
IMPORTING = threading.RLock()
"""Held where a job imports what it needs: in a fresh worker jobs of several lanes do so at once, and where two threads
import packages whose modules import each other, as scikit-learn's do, Python gives up on one of them."""

Run = Callable[[Any, JobFolder, Store, Progress], dict[str, Any]]


@dataclass(frozen=True)
class Task:
    """One kind of job.

    Attributes:
        kind: its name.
        prefix: of the ids of its jobs.
        spec: class of its spec.
        run: does it, and returns what goes into `result.json`.
        lane: which it runs in, or a function of the spec that says so.
        keeps: whether what it gives stays in the job folder, so that a finished job stands for good. Otherwise it went
            into the store, from where it may have been pruned: asked for again, the job runs again, and is quick if
            everything is still there.
        context: what else decides the result: contents of files, revisions, version of the algorithm. Checked before a
            job is queued, so that a request that cannot be met is refused at once.
    """

    kind: str
    prefix: str
    spec: type[Spec]
    run: Run
    lane: Lane | Callable[[Any], Lane]
    keeps: bool = False
    context: Callable[[Any], tuple[str, ...]] = lambda _spec: ()

    def parse(self, data: Any) -> Spec:
        """Validate a spec as a job folder keeps it.

        Raises:
            BadRequest: with each wrong field, its value and its bound.
        """
        with IMPORTING:
            import core.priors  # noqa: F401 - puts the kinds a spec may name on the list; a second in a fresh process
        return self.spec.parse(data)

    def lane_of(self, spec: Any) -> Lane:
        """Return the lane a spec's job runs in."""
        return self.lane(spec) if callable(self.lane) else self.lane


_TASKS: dict[str, Task] = {}


def register(task: Task) -> None:
    """Put a kind on the list."""
    _TASKS[task.kind] = task


def task_specs() -> dict[str, type[Spec]]:
    """Return the spec that each kind of job takes."""
    _import_layers_above()
    return {kind: task.spec for kind, task in _TASKS.items()}


def _import_layers_above() -> None:
    for name in LAYERS_ABOVE:
        importlib.import_module(name)


def find_task(kind: str) -> Task:
    """Return a kind of job.

    Raises:
        UnknownName: no such kind.
        BadRequest: a module named in `PRIORSCOPE_EXTRA_TASKS` cannot be imported.
    """
    if kind not in _TASKS:
        with IMPORTING:
            for name in LAYERS_ABOVE:
                importlib.import_module(name)
    for name in filter(None, os.environ.get(EXTRA_TASKS, "").split(",")):
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise BadRequest(
                f"{EXTRA_TASKS} names the module {name!r}, which cannot be imported ({error}); correct or unset it."
            ) from None
    if kind not in _TASKS:
        raise UnknownName("kind of job", kind, _TASKS)
    return _TASKS[kind]


def _model(spec: ModelSpec, _job: JobFolder, store: Store, progress: Progress) -> dict[str, Any]:
    with IMPORTING:
        from core.lm.load import load_reader
        from core.sources.models import resolve_model
    files = resolve_model(spec, store, progress)
    model = load_reader(spec, store, progress)
    return {
        "model": spec.name,
        "revision": files.revision,
        "provenance": files.provenance,
        "n_layers": model.n_layers,
        "d_model": model.d_model,
        "n_vocabulary": model.n_vocabulary,
        "device": str(model.device),
        "dtype": str(model.dtype).removeprefix("torch."),
    }


def _vocabulary(spec: ModelSpec, _job: JobFolder, store: Store, progress: Progress) -> dict[str, Any]:
    with IMPORTING:
        from core.activations.vocabulary import vocabulary_cloud
    cloud = vocabulary_cloud(spec, store, progress)
    return {"key": cloud.key, "n_rows": len(cloud.rows), "sites": list(cloud.sites)}


def _capture(spec: CloudSpec, _job: JobFolder, store: Store, progress: Progress) -> dict[str, Any]:
    with IMPORTING:
        from core.activations.capture import capture
    cloud, cached = capture(spec, store, progress)
    return {"key": cloud.key, "n_rows": len(cloud.rows), "sites": list(cloud.sites), "cached": cached}


def _annotate(spec: CloudSpec, _job: JobFolder, store: Store, progress: Progress) -> dict[str, Any]:
    with IMPORTING:
        from core.activations.annotate import annotate
    columns, cached = annotate(spec, store, progress)
    return {"n_rows": len(columns), "cached": cached}


def _tune(spec: TuningSpec, job: JobFolder, store: Store, progress: Progress) -> dict[str, Any]:
    with IMPORTING:
        from core.tuning.run import tune
    return tune(spec, job, store, progress)


def _projection(spec: ProjectionSpec, job: JobFolder, store: Store, progress: Progress) -> dict[str, Any]:
    with IMPORTING:
        from core.jobs.projection import fit_projection
    return fit_projection(spec, job, store, progress)


def _place(spec: PlacementSpec, job: JobFolder, store: Store, progress: Progress) -> dict[str, Any]:
    with IMPORTING:
        from core.jobs.overlay import place
    return place(spec, job, store, progress)


def _fit(spec: FitSpec, job: JobFolder, store: Store, progress: Progress) -> dict[str, Any]:
    with IMPORTING:
        from core.jobs.fit import fit_and_keep
    return fit_and_keep(spec, job, store, progress)


def _measure(spec: MeasureSpec, job: JobFolder, store: Store, progress: Progress) -> dict[str, Any]:
    with IMPORTING:
        from core.jobs.measure import measure
    return measure(spec, job, store, progress)


def _trajectory(spec: TrajectorySpec, job: JobFolder, store: Store, progress: Progress) -> dict[str, Any]:
    with IMPORTING:
        from core.jobs.trajectory import trajectory
    return trajectory(spec, job, store, progress)


def _trajectory_context(spec: TrajectorySpec) -> tuple[str, ...]:
    with IMPORTING:
        from core.jobs.trajectory import VERSION
        from core.sources.datasets import dataset_key
        from core.sources.models import model_revision
    texts = (dataset_key(spec.dataset),) if spec.dataset else ()
    return *texts, model_revision(spec.model) or "", VERSION


def _paths(spec: PathsSpec, job: JobFolder, store: Store, progress: Progress) -> dict[str, Any]:
    with IMPORTING:
        from core.jobs.paths import paths
    return paths(spec, job, store, progress)


def _paths_context(spec: PathsSpec) -> tuple[str, ...]:
    with IMPORTING:
        from core.jobs.paths import VERSION
    return *_sources(spec), VERSION


def _measure_context(_spec: MeasureSpec) -> tuple[str, ...]:
    with IMPORTING:
        from core.jobs.measure import VERSION
    return (VERSION,)


def _atlas(spec: AtlasSpec, job: JobFolder, store: Store, progress: Progress) -> dict[str, Any]:
    with IMPORTING:
        from core.jobs.atlas import measure_atlas
    return measure_atlas(spec, job, store, progress)


def _atlas_context(spec: AtlasSpec) -> tuple[str, ...]:
    with IMPORTING:
        from core.jobs.atlas import VERSION
    return *(part for cloud in spec.clouds for part in _sources(cloud)), VERSION


def _hygiene(spec: HygieneSpec, job: JobFolder, store: Store, progress: Progress) -> dict[str, Any]:
    with IMPORTING:
        from core.jobs.hygiene import measure_hygiene
    return measure_hygiene(spec, job, store, progress)


def _hygiene_context(spec: HygieneSpec) -> tuple[str, ...]:
    with IMPORTING:
        from core.jobs.hygiene import VERSION
    return *(part for cloud in spec.clouds for part in _sources(cloud)), VERSION


def _sources(spec: CloudSpec | PathsSpec | TuningSpec) -> tuple[str, ...]:
    """Return what names the texts and the weights; a hub model that is not here yet has no name.

    Raises:
        UnknownName, BadData: a model, module or file that there is not.
    """
    with IMPORTING:
        from core.sources.datasets import dataset_key
        from core.sources.models import model_revision
    return dataset_key(spec.dataset), model_revision(spec.model) or ""


def _tuning_context(spec: TuningSpec) -> tuple[str, ...]:
    with IMPORTING:
        from core.tuning import VERSION
        from core.tuning.regularisers.support import require_density
    if spec.log_prior_weight:
        require_density(spec.prior)
    return *_sources(spec), VERSION


def _fit_context(spec: FitSpec) -> tuple[str, ...]:
    with IMPORTING:
        from core.priors.fitting import VERSION, require_long
        from core.sources.models import model_revision
    require_long(spec.prior)
    sources = _sources(spec.reference) if spec.reference else (model_revision(spec.model) or "",)
    return *sources, VERSION


for _task in (
    Task("model", "m", ModelSpec, _model, "heavy"),
    Task("vocabulary", "v", ModelSpec, _vocabulary, "heavy"),
    Task("capture", "c", CloudSpec, _capture, "heavy", context=_sources),
    Task("annotate", "n", CloudSpec, _annotate, "heavy", context=_sources),
    Task("tune", "t", TuningSpec, _tune, "train", keeps=True, context=_tuning_context),
    Task("fit", "f", FitSpec, _fit, "heavy", context=_fit_context),
    Task("measure", "e", MeasureSpec, _measure, "heavy", keeps=True, context=_measure_context),
    Task("trajectory", "y", TrajectorySpec, _trajectory, "quick", keeps=True, context=_trajectory_context),
    Task("place", "l", PlacementSpec, _place, "quick"),
    Task("paths", "w", PathsSpec, _paths, "heavy", keeps=True, context=_paths_context),
    Task("atlas", "a", AtlasSpec, _atlas, "heavy", keeps=True, context=_atlas_context),
    Task("hygiene", "h", HygieneSpec, _hygiene, "heavy", keeps=True, context=_hygiene_context),
    Task("projection", "p", ProjectionSpec, _projection, lambda spec: "heavy" if spec.method == "tsne" else "quick"),
):
    register(_task)

"""The arms of a study: the groups of tuning runs that are compared, one run per seed in each."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.specs import DatasetSpec, StudySpec, TuningSpec

RATE, SLOW_RATE, ACTIVATIONS_RATE = 5e-3, 5e-4, 1e-3
"""The paper's learning rates: of Figures 6 and 8, of Figure 7, and of section 4.4."""
PLAIN = "deep-math-gaussian"
WEIGHTS = {"l2": 1.0, "log_prior": 1.0, "repulsion": 1.0, "attraction": 1.0, "spread": 0.1}
"""Weights of the regularisers; each is added to the plain arm in an arm of its own."""
COMPARED = (
    "isotropic",
    "isotropic-slow",
    "gaussian",
    "exclusion",
    "xavier",
    "activations-gaussian",
    "activations-xavier",
    "deep-gaussian",
    "deep-xavier",
    "deep-exclusion",
    "form-cut",
    "form-kept",
    "deep-math-interpolation",
    PLAIN,
    "deep-math-xavier",
)
"""Arms in the table of quality."""
REGULARISED = tuple(f"{PLAIN}-{name.replace('_', '-')}" for name in WEIGHTS)


Settings = dict[str, object]
"""Fields of a `TuningSpec`, as far as they are set."""


@dataclass(frozen=True)
class Arm:
    """Runs that differ only in their seed.

    Attributes:
        name: its name in the study.
        title: shown to people.
        specs: of the runs, seed by seed.
    """

    name: str
    title: str
    specs: tuple[TuningSpec, ...]


def arms(study: StudySpec) -> dict[str, Arm]:
    """Return a study's arms by name.

    Source: 4.2 to 4.5 of the paper.
    Deviation: the rate of deep prompts is in units of the prior sample unless the study says
        otherwise, because the paper's 0.001 hardly turns vectors as long as those of deep blocks.
        Quick studies tune soft prompts on sums, and deep prompts at the last three blocks only.
    """
    soft, questions = _task(study, study.soft_task), _task(study, study.questions)
    sums = {**_task(study, study.arithmetic), **_deep(study)}
    deep = {**questions, **_deep(study)}
    forms = soft | _deep(study) | _prior("gaussian") | {"prompt_sites": _with_embeddings(study.prompt_sites)}
    between = {"kind": "interpolation", "second": study.data(study.texts).as_json()}
    made = {
        "isotropic": ("Isotropic, rate 5e-3", soft | _prior("isotropic"), RATE),
        "isotropic-slow": ("Isotropic, rate 5e-4", soft | _prior("isotropic"), SLOW_RATE),
        "gaussian": ("Gaussian fitted on the vocabulary", soft | _prior("gaussian"), RATE),
        "exclusion": ("Exclusion, c = 5", soft | _prior("exclusion"), RATE),
        "xavier": ("Xavier", soft | _prior("xavier"), RATE),
        "activations-gaussian": (
            "Gaussian fitted on the data's activations",
            questions | _prior("gaussian") | {"reference": "activations"},
            ACTIVATIONS_RATE,
        ),
        "activations-xavier": ("Xavier, on questions", questions | _prior("xavier"), ACTIVATIONS_RATE),
        "deep-gaussian": ("Deep, Gaussian fitted at each block", deep | _prior("gaussian"), study.deep_rate),
        "deep-xavier": ("Deep, Xavier", deep | _prior("xavier"), study.deep_rate),
        "deep-exclusion": ("Deep, exclusion, c = 5", deep | _prior("exclusion"), study.deep_rate),
        "form-cut": ("Deep from the embeddings up, cut", forms, study.deep_rate),
        "form-kept": ("Deep from the embeddings up, kept", forms | {"deep_form": "kept"}, study.deep_rate),
        "deep-math-interpolation": ("Deep on sums, interpolation", sums | {"prior": between}, study.deep_rate),
        "deep-math-gaussian": ("Deep on sums, Gaussian", sums | _prior("gaussian"), study.deep_rate),
        "deep-math-xavier": ("Deep on sums, Xavier", sums | _prior("xavier"), study.deep_rate),
    }
    for (name, weight), arm in zip(WEIGHTS.items(), REGULARISED, strict=True):
        field = f"{name}_weight"
        title = TuningSpec.model_fields[field].title
        made[arm] = (f"{title}, weight {weight:g}", made[PLAIN][1] | {field: weight}, study.deep_rate)
    one_seed = ("activations-gaussian", "activations-xavier")
    return {
        name: Arm(name, title, _seeds(asked | {"learning_rate": rate}, 1 if name in one_seed else study.n_seeds))
        for name, (title, asked, rate) in made.items()
    }


def _seeds(asked: Settings, n_seeds: int) -> tuple[TuningSpec, ...]:
    return tuple(TuningSpec.parse({**asked, "seed": seed}) for seed in range(n_seeds))


def _prior(kind: str) -> Settings:
    return {"prior": {"kind": kind}}


def _deep(study: StudySpec) -> Settings:
    return {"method": "deep", "prompt_sites": study.prompt_sites, "rate_unit": study.deep_rate_unit}


def _with_embeddings(sites: Sequence[int]) -> tuple[int, ...]:
    """Return sites with the token embeddings first.

    Cut and kept prompts differ only where an unprompted block follows a prompted one; otherwise a
    kept prompt is replaced at once.
    """
    return (0, *(site for site in sites if site != 0))


def _task(study: StudySpec, dataset: DatasetSpec) -> Settings:
    """Return the settings shared by all runs on a task."""
    every = max(1, study.steps // study.n_evaluations)
    return {
        "model": study.model,
        "dataset": dataset.model_copy(update={"samples": study.n_examples, "seed": study.seed}),
        "steps": study.steps,
        "batch_size": study.batch_size,
        "max_length": study.longest_example,
        "n_validation": study.n_validation,
        "n_generation": study.n_generation,
        "max_new_tokens": study.max_new_tokens,
        "evaluate_every": every,
        "answer_every": study.steps,
        "snapshot_every": every,
        "checkpoint_every": study.steps,
    }

"""The arms of a study: the groups of tuning runs that are compared, one run per seed in each."""

from dataclasses import dataclass

from core.specs import DatasetSpec, StudySpec, TuningSpec

RATE, SLOW_RATE, ABSOLUTE_DEEP_RATE = 5e-3, 5e-4, 1e-3
"""The paper's learning rates: of Figures 6 and 8, of Figure 7, and of section 4.4."""
WEIGHTS = {"l2": 1.0, "log_prior": 1.0, "repulsion": 1.0, "attraction": 1.0, "spread": 0.1}
"""Middle dose of each regulariser."""
DOSES = (0.1, 1.0, 10.0)
"""Factors on the weights."""
RANDOM, ABSOLUTE = "-random", "-absolute"
"""Endings of the names of arms that train on permuted answers, and at the paper's own deep rate."""
SOFT = ("isotropic", "gaussian", "exclusion", "xavier")
DEEP = ("deep-gaussian", "deep-xavier", "deep-exclusion")
PLAIN = "deep-gaussian"
"""What each dose of a regulariser is added to."""
CUT = "soft-cut"
BETWEEN, INSIDE = "deep-interpolation", "deep-sums-gaussian"
"""Deep prompts on sums, from between the domains and from inside the task's own."""
ON_ACTIVATIONS = ("activations-gaussian", "activations-xavier")
COMPARED = (
    "isotropic",
    "isotropic-slow",
    "gaussian",
    "gaussian-slow",
    "exclusion",
    "xavier",
    "xavier-slow",
    CUT,
    *ON_ACTIVATIONS,
    *DEEP,
    *(f"{name}{ABSOLUTE}" for name in DEEP),
    BETWEEN,
)
"""Arms in the table of quality."""

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


def dose_arm(regulariser: str, dose: float) -> str:
    """Return the name of the arm with a dose of a regulariser."""
    return f"{PLAIN}-{regulariser.replace('_', '-')}-{dose:g}"


REGULARISED = tuple(dose_arm(name, dose) for name in WEIGHTS for dose in DOSES)


def arms(study: StudySpec) -> dict[str, Arm]:
    """Return a study's arms by name.

    Source: 4.2 to 4.5 of the paper.
    Deviation: deep prompts are tuned at a rate in units of the prior sample, unless the study says
        otherwise, because the paper's 0.001 hardly turns vectors as long as those of deep blocks;
        arms at 0.001 are beside them. What the tasks are is the study's choice.
    """
    return {arm.name: arm for arm in (*_soft_arms(study), *_deep_arms(study), *_dose_arms(study))}


def _soft_arms(study: StudySpec) -> list[Arm]:
    soft = _task(study, study.soft_task, study.steps)
    questions = _task(study, study.questions, study.steps)
    priors = {name: soft | _prior(name) for name in SOFT}
    titles = {
        "isotropic": "Isotropic",
        "gaussian": "Gaussian fitted on the vocabulary",
        "exclusion": "Exclusion, c = 5",
        "xavier": "Xavier",
    }
    cut = priors["gaussian"] | {"method": "deep", "prompt_sites": (0,)}
    found = [_arm(name, f"{titles[name]}, rate 5e-3", priors[name], RATE, study.n_seeds) for name in SOFT]
    found += [
        _arm(f"{name}-slow", f"{titles[name]}, rate 5e-4", priors[name], SLOW_RATE, study.n_seeds)
        for name in ("isotropic", "gaussian", "xavier")
    ]
    found += [_random(arm, study) for arm in found[: len(SOFT)]]
    found += [_arm(CUT, "Gaussian fitted on the vocabulary, cut after the first block", cut, RATE, study.n_seeds)]
    fitted = questions | _prior("gaussian") | {"reference": "activations"}
    on_data = (
        ("Gaussian fitted on the data's activations", fitted),
        ("Xavier, on questions", questions | _prior("xavier")),
    )
    return found + [
        _arm(name, title, asked, ABSOLUTE_DEEP_RATE, 1)
        for name, (title, asked) in zip(ON_ACTIVATIONS, on_data, strict=True)
    ]


def _deep_arms(study: StudySpec) -> list[Arm]:
    deep, sums = (_deep(study, dataset) for dataset in (study.deep_task, study.arithmetic))
    titles = dict(zip(DEEP, ("Gaussian fitted at each block", "Xavier", "exclusion, c = 5"), strict=True))
    priors = {name: deep | _prior(name.removeprefix("deep-")) for name in DEEP}
    between = {"kind": "interpolation", "second": study.data(study.texts).as_json()}
    n = study.n_deep_seeds
    found = [_arm(name, f"Deep, {titles[name]}", priors[name], study.deep_rate, n) for name in DEEP]
    return [
        *found,
        *(_random(arm, study) for arm in found),
        *(_at_absolute_rate(arm) for arm in found),
        _arm(BETWEEN, "Deep on sums, interpolation", sums | {"prior": between}, study.deep_rate, n),
        _arm(INSIDE, "Deep on sums, Gaussian fitted at each block", sums | _prior("gaussian"), study.deep_rate, n),
    ]


def _dose_arms(study: StudySpec) -> list[Arm]:
    plain = _deep(study, study.deep_task) | _prior("gaussian")
    found = []
    for name, middle in WEIGHTS.items():
        field = f"{name}_weight"
        for dose in DOSES:
            weight = float(f"{middle * dose:g}")
            title = f"{TuningSpec.model_fields[field].title}, weight {weight:g}"
            asked = plain | {field: weight}
            found.append(_arm(dose_arm(name, dose), title, asked, study.deep_rate, study.n_dose_seeds))
    return found


def _arm(name: str, title: str, asked: Settings, rate: float, n_seeds: int) -> Arm:
    settings = asked | {"learning_rate": rate}
    return Arm(name, title, tuple(TuningSpec.parse({**settings, "seed": seed}) for seed in range(n_seeds)))


def _random(arm: Arm, study: StudySpec) -> Arm:
    """Return the control of an arm, which trains on answers permuted between the examples."""
    specs = [
        TuningSpec.parse({**arm.specs[0].as_json(), "labels": "random", "seed": k})
        for k in range(study.n_control_seeds)
    ]
    return Arm(f"{arm.name}{RANDOM}", f"{arm.title}, random labels", tuple(specs))


def _at_absolute_rate(arm: Arm) -> Arm:
    paper = {"learning_rate": ABSOLUTE_DEEP_RATE, "rate_unit": "absolute"}
    return Arm(f"{arm.name}{ABSOLUTE}", f"{arm.title}, rate 1e-3", tuple(s.model_copy(update=paper) for s in arm.specs))


def _prior(kind: str) -> Settings:
    return {"prior": {"kind": kind}}


def _deep(study: StudySpec, dataset: DatasetSpec) -> Settings:
    unit, sites = study.deep_rate_unit, study.prompt_sites
    return _task(study, dataset, study.deep_steps) | {"method": "deep", "prompt_sites": sites, "rate_unit": unit}


def _task(study: StudySpec, dataset: DatasetSpec, longest: int) -> Settings:
    """Return the settings shared by all runs on a task."""
    every = max(1, longest // study.n_evaluations)
    return {
        "model": study.model,
        "dataset": dataset.model_copy(update={"samples": study.n_examples, "seed": study.seed}),
        "steps": longest,
        "patience": study.patience,
        "improvement": study.improvement,
        "batch_size": study.batch_size,
        "max_length": study.longest_example,
        "n_validation": study.n_validation,
        "n_generation": study.n_generation,
        "max_new_tokens": study.max_new_tokens,
        "evaluate_every": every,
        "answer_every": longest,
        "snapshot_every": every,
        "checkpoint_every": longest,
    }

"""The items of a study, and those that were made. Free of torch, since pages read it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial

from core.analysis.verdict import Verdict
from core.engine.lookup import find_succeeded
from core.errors import UnknownName
from core.specs import StudyItemSpec, StudySpec
from core.store import JobFolder, Store, list_jobs
from core.studies.analyses import make_claim
from core.studies.answer_path import answer_path
from core.studies.arms import BETWEEN, COMPARED, DEEP, PLAIN, REGULARISED, SOFT
from core.studies.bench import Bench
from core.studies.claims import CLAIMS
from core.studies.doses import doses
from core.studies.encoder_means import encoder_means
from core.studies.figure import Numbers, Reproduced, recall
from core.studies.generalisation import generalisation
from core.studies.layers import film, layers
from core.studies.lines import lines
from core.studies.prior_samples import autoencoder_samples, exclusion_samples
from core.studies.prompts import (
    fitted_gaussian,
    interpolated,
    isotropic_fast,
    isotropic_slow,
    on_last_layer,
    on_token_activations,
)
from core.studies.radii import radii
from core.studies.sentence_paths import sentences_on_activations, sentences_on_vocabulary
from core.studies.several_priors import several_priors
from core.studies.shipped import VERSION, finished_item, finished_of, finished_studies
from core.studies.tables import quality, regularisation
from core.studies.transfer import transfer

KIND = "study"
"""Kind of the jobs that make items."""


@dataclass(frozen=True)
class Item:
    """A figure, a table or a claim.

    Attributes:
        title: shown above the picture.
        make: makes it on a bench.
        arms: of the study whose runs it needs.
    """

    title: str
    make: Callable[[Bench], Reproduced]
    arms: tuple[str, ...] = ()


FIGURES = {
    1: Item("Trajectories of sentences on the vocabulary cloud, t-SNE", sentences_on_vocabulary),
    2: Item("Trajectories of sentences on activations, PCA", sentences_on_activations),
    3: Item("A question and its answer, token by token, on the last layer's activations, PCA", answer_path),
    4: Item("Activations at several layers, PCA of each", layers),
    5: Item("Mean activations of an encoder on texts and arithmetic tasks, t-SNE", encoder_means),
    6: Item("A soft prompt from an isotropic Gaussian, rate 5e-3, on the vocabulary", isotropic_fast, ("isotropic",)),
    7: Item(
        "A soft prompt from an isotropic Gaussian, rate 5e-4, on the vocabulary", isotropic_slow, ("isotropic-slow",)
    ),
    8: Item("A soft prompt from a Gaussian fitted on the vocabulary, rate 5e-3", fitted_gaussian, ("gaussian",)),
    9: Item("Samples of the exclusion prior on the vocabulary", exclusion_samples),
    10: Item(
        "Soft prompts on token activations: fitted Gaussian and Xavier",
        on_token_activations,
        ("activations-gaussian", "activations-xavier"),
    ),
    11: Item(
        "Deep prompts on the last layer's activations: fitted Gaussian and Xavier",
        on_last_layer,
        ("deep-gaussian", "deep-xavier"),
    ),
    12: Item("Interpolated prior and its posterior on the last layer, with arithmetic", interpolated, (BETWEEN,)),
    13: Item("Activations sampled by a VAE", autoencoder_samples),
}
"""By number in the paper."""
ITEMS = {f"figure-{number}": replace(item, title=f"Figure {number}. {item.title}") for number, item in FIGURES.items()}
ITEMS |= {
    "film": Item("Activations at every layer as a film, PCA of each", film),
    "several-priors": Item("Soft prompts of several priors, from prior sample to posterior", several_priors, SOFT),
    "table-quality": Item("Quality and speed from each prior", quality, COMPARED),
    "generalisation": Item("Prompts read on data that they were not tuned on", generalisation, (*SOFT, *DEEP)),
    "lines": Item("The loss along straight lines between posteriors", lines, (*SOFT, *DEEP)),
    "doses": Item("What weights of regularisers do", doses, (PLAIN, *REGULARISED)),
    "radii": Item("How far tokens lie from the centre of their cloud, beside the fitted Gaussian", radii),
    "table-regularisation": Item("What regularisation does to the posterior", regularisation, (PLAIN, *REGULARISED)),
}
ITEMS |= {
    claim.item: Item(f"C{number}. {claim.title}", partial(make_claim, claim), (*claim.arms, *claim.controls))
    for number, claim in CLAIMS.items()
}
ITEMS["transfer"] = Item("Deep prompts that start at the posterior of another task", transfer, (PLAIN,))
"""In the order of a report, and in which they are made: what takes as long as all others together comes last."""


def find_maker(item: str) -> Item:
    """Return an item by its name.

    Raises:
        UnknownName: no such item.
    """
    if item not in ITEMS:
        raise UnknownName("item", item, ITEMS)
    return ITEMS[item]


@dataclass(frozen=True)
class InterimAnalysis:
    """An analysis of a claim while seeds were added; a bound that is not finite is None.

    `spent` is the error that the analyses after the first have used up.
    """

    n_seeds: int
    verdict: Verdict
    value: float | None
    low: float | None
    high: float | None
    seconds: float | None = None
    spent: float = 0.0


@dataclass(frozen=True)
class Result:
    """What a job of a study keeps in its `result.json`.

    Attributes:
        version: of the code that made it.
        caption: of the picture.
        numbers: of the item.
        seconds: the job took.
        looks: interim analyses, where seeds were added to a claim.
    """

    version: str
    caption: str
    numbers: Numbers
    seconds: float
    looks: tuple[InterimAnalysis, ...] = ()


def read_result(job: JobFolder) -> Result | None:
    """Return the result of a job that made an item, or None if it failed or is outdated."""
    kept = job.result() if job.status().state == "succeeded" else None
    if not kept or kept["version"] != VERSION:
        return None
    return Result(**{**kept, "looks": tuple(InterimAnalysis(**one) for one in kept.get("looks", ()))})


@dataclass(frozen=True)
class Found:
    """An item that was made.

    Attributes:
        spec: of the item.
        job: that made it.
        result: of the job.
    """

    spec: StudyItemSpec
    job: JobFolder
    result: Result

    @property
    def title(self) -> str:
        """Return the title shown above the picture."""
        return find_maker(self.spec.item).title

    @cached_property
    def reproduced(self) -> Reproduced:
        """Return picture, points, numbers and caption."""
        return recall(self.job, self.result.caption, self.result.numbers)


def find_item(spec: StudyItemSpec, store: Store) -> Found | None:
    """Return an item that was made here or came with the program, or None.

    Raises:
        UnknownName: no such item.
    """
    for job in (find_succeeded(KIND, spec, store), finished_item(spec, VERSION)):
        result = read_result(job) if job else None
        if job and result:
            return Found(spec, job, result)
    return None


def not_made(study: StudySpec, store: Store) -> dict[str, str]:
    """Return what neither came with a finished study nor was made here: item → why, in one line."""
    finished = finished_of(study, VERSION)
    if finished is None:
        return {}
    asked = {item: StudyItemSpec(study=study, item=item) for item in ITEMS}
    return {item: finished.why_not(item) for item, spec in asked.items() if find_item(spec, store) is None}


def studies_of(store: Store) -> list[StudySpec]:
    """Return the studies with an item that is made or being made, newest first, then those shipped."""
    found = {}
    for job in list_jobs(store, KIND):
        if job.status().state in ("succeeded", "running", "queued"):
            study = StudySpec.parse(job.spec["study"])
            found.setdefault(study.canonical_json(), study)
    for finished in finished_studies(VERSION):
        found.setdefault(finished.spec.canonical_json(), finished.spec)
    return list(found.values())

"""C2: language tasks share a cluster, arithmetic has its own, at every layer."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.activations.clouds import Cloud
from core.activations.references import find
from core.analysis.atlas_plan import N_BLOCKS
from core.analysis.domains_apart import Told, domains_apart
from core.analysis.intervals import Interval
from core.analysis.shares import documents_needed
from core.analysis.verdict import Bounds
from core.array_types import Floats, Ints
from core.specs import FINAL, Site, StudySpec
from core.studies.bench import Bench
from core.studies.claims.base import DOCUMENT, JACKKNIFE_FREEDOM, Claim, Judged, Part
from core.studies.claims.documents import too_few
from core.studies.layers import study_sites

APART = 0.9
"""Balanced accuracy: nine in ten unseen documents are classified correctly."""
NEARER = 0.5
"""Language data sets share a cluster where the distance between them is at most half of that to
arithmetic."""
ENOUGH = math.ceil(documents_needed(APART) / 2)
"""Documents of either data set that can put an accuracy above 0.9."""
OWN, SHARED = "a", "b"
_ACCURACY = "accuracy of telling unseen documents apart by their means (LDA)"
_RATIO = "energy distance of texts and questions over that of arithmetic to the nearer of them"


@dataclass(frozen=True)
class DocumentMeans:
    """Means over the tokens of documents of one data set.

    Attributes:
        name: of the data set.
        documents: (n,) unit of independence of each row.
        points: returns (n, d) at a site.
    """

    name: str
    documents: Ints
    points: Callable[[Site], Floats]

    @property
    def n(self) -> int:
        """Return the number of independent documents."""
        return len(np.unique(self.documents))


def judge(bench: Bench) -> Judged:
    """Judge C2 at every site of the study but the token embeddings."""
    sites = [site for site in study_sites(bench) if site != 0] or [FINAL]
    return judge_means(document_means(bench), sites, bench.spec.seed)


def document_means(bench: Bench) -> list[DocumentMeans]:
    """Return the document means of texts, questions and arithmetic."""
    study, found = bench.spec, []
    for dataset in (study.texts, study.questions, study.arithmetic):
        cloud: Cloud = bench.made(find, "capture", study.cloud(dataset, pooling="mean"))
        units = np.unique(cloud.rows["group"].to_numpy(), return_inverse=True)[1]
        found.append(DocumentMeans(dataset.label, units, cloud.points))
    return found


def judge_means(means: Sequence[DocumentMeans], sites: Sequence[Site], seed: int) -> Judged:
    """Judge C2 by document means.

    Args:
        means: of texts, questions and arithmetic.
        sites: where they are measured.
        seed: of folds, blocks and permutations.
    """
    accuracies, ratios = [], []
    (texts, questions, sums), documents = (one.name for one in means), [one.documents for one in means]
    n = [one.n for one in means]
    for place, site in enumerate(sites):
        found = domains_apart([one.points(site) for one in means], documents, np.random.default_rng((seed, place)))
        for told, other, of in zip(found.told, (texts, questions), n[:2], strict=True):
            accuracies.append(_told(f"site {site}, {other} / {sums}", told, of + n[2]))
        ratios.append(_ratio(f"site {site}", found.ratio, sum(n)))
    apart = sum(part.interval.low >= APART for part in accuracies)
    shared = sum(part.interval.high <= NEARER for part in ratios)
    return Judged(
        [*accuracies, *ratios],
        f"The means of {sums} can be told from those of {texts} and {questions} with at least {APART:.0%} accuracy in "
        f"{apart} of {len(accuracies)} comparisons over {len(sites)} sites. At {shared} of {len(ratios)} sites {texts} "
        f"and {questions} are at most half as far from each other as from {sums}.",
        blocked={
            sentence: too_few("C2", min(n), needed, "of each data set")
            for sentence, needed in ((OWN, ENOUGH), (SHARED, N_BLOCKS))
        },
    )


def _told(name: str, told: Told, n: int) -> Part:
    return Part(name, _ACCURACY, told.accuracy, Bounds(low=APART), told.null, told.p, n, sentence=OWN)


def _ratio(name: str, ratio: Interval, n: int) -> Part:
    one = Interval(1.0, 1.0, 1.0)
    part = Part(name, _RATIO, ratio, Bounds(high=NEARER), one, n=n, freedom=JACKKNIFE_FREEDOM)
    return replace(part, sentence=SHARED)


def _basis(study: StudySpec) -> str:
    names = ", ".join(dataset.label for dataset in (study.texts, study.questions, study.arithmetic))
    return f"means over {study.n_texts} texts of each of {names}"


CLAIMS = (
    Claim(
        number=2,
        title="Arithmetic has a cluster of its own, language tasks share one",
        quote=(
            "“We show that while SQuAD has activations similar to pre-training C4, MATH dataset's activations lie in a "
            "distant cluster, and this property holds for activations on all layers.”"
        ),
        section="5",
        statistic=(
            "Of means over each document's tokens, at every site above the token embeddings: (a) the accuracy of a "
            "linear discriminant that tells arithmetic from each language data set, on unseen documents; (b) the "
            "energy distance (free of scale) between the two language data sets, over that between arithmetic and the "
            "nearer of them."
        ),
        why=(
            "A probe in many dimensions tells almost any two data sets apart, even two of language. Accuracy alone "
            "therefore cannot show that those two share a cluster, but the ratio of distances can. Documents are the "
            "points, because single tokens need not tell their document: at the token embeddings equal tokens are "
            "equal vectors, whatever the text."
        ),
        null=(
            "Data sets permuted over documents: an accuracy of about 0.5. At a ratio of 1 the three data sets are "
            "equally far apart."
        ),
        unit=DOCUMENT,
        rule=(
            f"(a) Holds if at every site the 95 % intervals of both accuracies lie above {APART:g} (resampled "
            f"documents, and Wilson's interval at least). (b) Holds if at every site that of the ratio lies below "
            f"{NEARER:g}; its interval leaves one of ten blocks of documents out of all three data sets at once. "
            "Either fails if one of its intervals, widened for their number, lies outside. Undecided otherwise, and "
            f"with fewer than {ENOUGH} (a) or {N_BLOCKS} (b) documents of each data set."
        ),
        judge=judge,
        figures=("figure-4", "figure-12"),
        sentences={
            OWN: "Arithmetic has a cluster of its own at every layer.",
            SHARED: "Texts and questions share one at every layer.",
        },
        basis=_basis,
    ),
)

"""C3: the cloud has one mode at every layer. C4: a fitted Gaussian misses its sharp peak."""

from collections.abc import Mapping
from dataclasses import replace

from core.analysis.atlas_plan import N_BLOCKS
from core.analysis.dips import LARGEST_DIP, dip_interval, documents_needed
from core.analysis.intervals import Interval
from core.analysis.modality import N_PRINCIPAL, N_RANDOM
from core.analysis.radial_law import N_SAMPLES, TENTH, RadialLaw
from core.analysis.verdict import FAILS, Bounds
from core.jobs.atlas import Atlas
from core.specs import Site
from core.studies.bench import Bench
from core.studies.claims.base import DOCUMENT, JACKKNIFE_FREEDOM, Claim, Judged, Part
from core.studies.claims.documents import too_few
from core.studies.layers import three_domains
from core.studies.radii import radial_laws

N_DIRECTIONS = N_PRINCIPAL + N_RANDOM
PEAKED = 0.05
"""Share of tokens, of which a tenth is expected on either side: half as many again."""
_DIP = "largest dip over 15 directions (0: one mode; 0.25: two separate halves)"
_CORE = "share of tokens within the radius of a tenth of the Gaussian's own, less 0.1"
_TAIL = "share of tokens beyond the radius that a tenth of the Gaussian's own exceed, less 0.1"


def judge_modes(bench: Bench) -> Judged:
    """Judge C3 for the texts, at every site of the atlas."""
    return judge_dips(three_domains(bench))


def judge_dips(atlas: Atlas) -> Judged:
    """Judge C3 by the dips of the first data set of an atlas."""
    texts, n = atlas.summary["names"][0], atlas.summary["n_documents"][0]
    parts = []
    for site in atlas.sites:
        found = atlas.groups(site)["modality"]["dip"][texts]
        null = Interval(found["null"], found["null_low"], found["null_high"])
        interval = dip_interval(found["value"], null.high, n)
        parts.append(Part(f"site {site}", _DIP, interval, Bounds(high=LARGEST_DIP), null, found["p"], n))
    largest = max(parts, key=lambda part: part.interval.value)
    rejected = sum((part.p or 1) <= 0.05 for part in parts)
    needed = documents_needed(N_DIRECTIONS * len(parts))
    judged = Judged(
        parts,
        f"The largest dip of {texts} over {len(parts)} sites is {largest.interval.value:.3f} ({largest.name}, {n} "
        f"documents); uniform samples of that size have {largest.null.value if largest.null else 0:.3f}. The test "
        f"rejects a single mode (Holm-corrected p ≤ 0.05) at {rejected} sites. Exactly normal clouds pass the rule at "
        f"{len(parts)} sites in 95 % of studies with {needed} documents.",
        extra={"documents_needed": needed},
    )
    if judged.verdict == FAILS:
        return judged
    return replace(judged, blocked={"": too_few("C3", n, needed, f"of {texts}")})


def judge_peak(bench: Bench) -> Judged:
    """Judge C4 for the questions, at the token embeddings and at the last site."""
    return judge_radii(bench.spec.questions.label, radial_laws(bench))


def judge_radii(name: str, laws: Mapping[Site, RadialLaw]) -> Judged:
    """Judge C4 by the radial laws of a data set's tokens, by site."""
    parts = []
    for quantity, side in ((_CORE, "core"), (_TAIL, "tail")):
        for site, law in laws.items():
            found, null = getattr(law, side), getattr(law, f"{side}_null")
            parts.append(
                Part(
                    f"site {site}",
                    quantity,
                    found,
                    Bounds(low=PEAKED),
                    null,
                    n=law.n_documents,
                    freedom=JACKKNIFE_FREEDOM,
                )
            )
    words = "; ".join(
        f"at site {site} {TENTH + law.core.value:.0%} of the tokens lie within the one and "
        f"{TENTH + law.tail.value:.0%} beyond the other"
        for site, law in laws.items()
    )
    fewest = min(law.n_documents for law in laws.values())
    return Judged(
        parts,
        f"Of the fitted Gaussian's own points, 10 % lie within the inner radius and 10 % beyond the outer one. Of "
        f"{name}, {words}.",
        blocked={"": too_few("C4", fewest, N_BLOCKS, f"of {name}")},
    )


CLAIMS = (
    Claim(
        number=3,
        title="The cloud has one mode at every layer",
        quote=(
            "“We further check that the distribution of activations stays more or less unimodal across different "
            "layers.”"
        ),
        section="4.1",
        statistic=(
            "Hartigan's dip of the texts' tokens, one per document, along the first 5 principal and 10 random "
            "directions; the largest of the 15, at every site."
        ),
        why=(
            "The dip is the distance of a distribution from the nearest one with a single mode, so a bound on it says "
            "what “more or less” means. A test that does not reject would prove nothing, and two axes hide the others."
        ),
        null="Uniform samples of the same size: of all unimodal distributions, theirs have the largest dip.",
        unit=DOCUMENT,
        rule=(
            f"Holds if at every site the upper bound of the dip lies below {LARGEST_DIP:g}, which two equal normal "
            "modes reach a little over four standard deviations apart. Fails if at some site the lower bound, widened "
            "for the number of sites, lies above. Undecided otherwise. The upper bound adds 1.96 standard errors, the "
            "lower one subtracts what uniform samples reach. It can only hold with as many documents as exactly normal "
            f"clouds need to pass in 95 % of studies: {documents_needed(N_DIRECTIONS)} for one site, "
            f"{documents_needed(8 * N_DIRECTIONS)} for 8 and {documents_needed(31 * N_DIRECTIONS)} for 31."
        ),
        judge=judge_modes,
        figures=("figure-4",),
        basis=lambda study: f"{study.n_texts} texts of {study.texts.label}",
    ),
    Claim(
        number=4,
        title="A fitted Gaussian misses the sharp peak of the cloud",
        quote=(
            "“Gaussian Fitted initialization does not really represent the activations distribution clearly, which "
            "supports our hypothesis on activations distributions being sharply peaked.”"
        ),
        section="4.4",
        statistic=(
            "Mahalanobis distance of the questions' tokens from the cloud's mean, under a Gaussian (Ledoit–Wolf) "
            "fitted on other documents: the share of tokens within the radius of a tenth of the Gaussian's own points, "
            "and the share beyond the radius that a tenth of those exceed; at the token embeddings (Figure 10) and at "
            "the last site (Figure 11)."
        ),
        why=(
            "A sharp peak with long tails has too many points near the centre and, with the same variance, too many "
            "far out; either alone can have other causes. The Gaussian's own points are samples as large as the cloud, "
            "with as many documents and with tokens of one document as much alike, measured in the same way: distances "
            "under a fit are never quite those of the law."
        ),
        null=f"Range over {N_SAMPLES} samples of the fitted Gaussian: about 0.",
        unit=DOCUMENT,
        rule=(
            f"Holds if at both sites the 95 % intervals of both shares lie at least {PEAKED:g} above a tenth. Fails if "
            "one of these intervals, widened for their number, lies below. Undecided otherwise, and with fewer than "
            f"{N_BLOCKS} documents. Intervals leave out one of ten blocks of documents."
        ),
        judge=judge_peak,
        figures=("figure-10", "figure-11", "radii"),
        basis=lambda study: f"{study.rows:,} tokens of {study.n_texts} texts of {study.questions.label}",
    ),
)

"""The quantities of an atlas: what each is, what it is measured on, and its null."""

from dataclasses import dataclass

ALL = "all"
"""Name of all data sets together."""
N_GAUSSIAN = 4
"""Number of samples of the fitted Gaussian, each as large as the cloud."""


@dataclass(frozen=True)
class AtlasQuantity:
    """What a quantity is.

    Attributes:
        title: short.
        help: what it means, its null and its interval.
        of: what it is measured on: 'all' data sets together, each 'pair' of them, or each 'cloud'.
        group: 'separability', 'modality' or 'shape'.
    """

    title: str
    help: str
    of: tuple[str, ...]
    group: str = "shape"


_PERMUTED = "Null: documents are reassigned to data sets at random. Interval: documents are resampled."
_GAUSSIAN = (
    f"Null: range of {N_GAUSSIAN} samples of the fitted Gaussian. "
    "Interval: one block of documents is left out at a time."
)
QUANTITIES = {
    "lda_accuracy": AtlasQuantity(
        "LDA accuracy",
        f"Balanced accuracy of linear discriminant analysis on held-out documents. {_PERMUTED}",
        (ALL, "pair"),
        "separability",
    ),
    "logistic_accuracy": AtlasQuantity(
        "Logistic accuracy",
        f"Balanced accuracy of a logistic probe on held-out documents. {_PERMUTED} The probe is fitted "
        "again for a tenth of the permutations.",
        (ALL,),
        "separability",
    ),
    "neighbour_purity": AtlasQuantity(
        "kNN purity",
        "Share of a point's nearest neighbours from other documents, in the full space, that belong to its data set. "
        + _PERMUTED,
        (ALL,),
        "separability",
    ),
    "silhouette": AtlasQuantity(
        "Silhouette",
        "−1 to 1: how much nearer a point is to its own data set than to the next one; other documents only. "
        + _PERMUTED,
        (ALL,),
        "separability",
    ),
    "energy": AtlasQuantity(
        "Energy distance",
        "Divided by 2 E|X − Y|, so without a scale; only pairs of points from different documents. Null: documents are "
        "reassigned to data sets at random. Interval: one block of documents is left out at a time.",
        ("pair",),
        "separability",
    ),
    "dip": AtlasQuantity(
        "Largest dip",
        "Largest of Hartigan's dips along the cloud's first 5 principal directions and 10 random ones, with one token "
        "per document, drawn 10 times (the interval is their range). Null: a uniform distribution. p: the smallest, "
        "Holm-corrected.",
        (ALL, "cloud"),
        "modality",
    ),
    "participation_ratio": AtlasQuantity(
        "Participation ratio", f"(Σλ)² / Σλ² of the covariance's eigenvalues. {_GAUSSIAN}", ("cloud",)
    ),
    "two_nn_dimension": AtlasQuantity(
        "TwoNN dimension",
        f"Intrinsic dimension from the two nearest neighbours in other documents, without duplicates. {_GAUSSIAN}",
        ("cloud",),
    ),
    "kurtosis_principal": AtlasQuantity(
        "Kurtosis, principal directions",
        f"Mean excess kurtosis along the cloud's first 5 principal directions; 0 for a Gaussian. {_GAUSSIAN}",
        ("cloud",),
    ),
    "kurtosis_random": AtlasQuantity(
        "Kurtosis, random directions",
        f"Mean excess kurtosis along 10 random directions; 0 for a Gaussian. {_GAUSSIAN}",
        ("cloud",),
    ),
    "mahalanobis_median": AtlasQuantity(
        "Mahalanobis median",
        "Median of held-out squared Mahalanobis distances (Ledoit–Wolf), divided by that of the chi-squared "
        f"distribution; below 1 the centre is denser than a Gaussian's. {_GAUSSIAN}",
        ("cloud",),
    ),
    "mahalanobis_inside": AtlasQuantity(
        "Inside the 95 % region",
        f"Share of held-out points inside the 95 % region of the chi-squared distribution. {_GAUSSIAN}",
        ("cloud",),
    ),
    "mahalanobis_distance": AtlasQuantity(
        "Distance from chi-squared",
        "Largest difference between the distribution functions of held-out squared Mahalanobis distances and of the "
        f"chi-squared distribution. {_GAUSSIAN}",
        ("cloud",),
    ),
}
"""Every quantity, in the order of the table."""
SHAPE = tuple(name for name, definition in QUANTITIES.items() if definition.of == ("cloud",))
COLUMNS = ("site", "quantity", "cloud", "value", "low", "high", "null", "null_low", "null_high", "p")


def pair_name(first: str, second: str) -> str:
    """Return the name of a pair of data sets in the table."""
    return f"{first} / {second}"

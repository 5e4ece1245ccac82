"""The quantities of an atlas: what each is, of what it is, and against which null."""

from dataclasses import dataclass

ALL = "all"
"""Stands for all data sets together."""
N_GAUSSIAN = 4
"""Samples of the fitted Gaussian, as large as the cloud."""


@dataclass(frozen=True)
class AtlasQuantity:
    """What a quantity is.

    Attributes:
        title: short.
        help: what it says, its null and its interval.
        of: 'all' data sets together, each 'pair' of them, or each 'cloud'.
        group: 'separability', 'modality' or 'shape'.
    """

    title: str
    help: str
    of: tuple[str, ...]
    group: str = "shape"


_PERMUTED = "Null: data sets permuted over documents. Interval: documents resampled."
_GAUSSIAN = f"Null: range of {N_GAUSSIAN} samples of the fitted Gaussian. Interval: blocks of documents left out."
QUANTITIES = {
    "lda_accuracy": AtlasQuantity(
        "LDA accuracy",
        f"Balanced accuracy of linear discriminant analysis on documents it has not seen. {_PERMUTED}",
        (ALL, "pair"),
        "separability",
    ),
    "logistic_accuracy": AtlasQuantity(
        "Logistic accuracy",
        f"Balanced accuracy of a logistic probe on documents it has not seen. {_PERMUTED} The probe is refitted for a "
        "tenth of the permutations.",
        (ALL,),
        "separability",
    ),
    "neighbour_purity": AtlasQuantity(
        "kNN purity",
        "Share of a point's nearest points of other documents, in the full space, that are of its data set. "
        + _PERMUTED,
        (ALL,),
        "separability",
    ),
    "silhouette": AtlasQuantity(
        "Silhouette",
        f"−1 to 1: how much nearer a point's own data set is than the next, other documents only. {_PERMUTED}",
        (ALL,),
        "separability",
    ),
    "energy": AtlasQuantity(
        "Energy distance",
        "Over 2 E|X − Y|, so free of scale; pairs of points of different documents only. Null: data sets permuted over "
        "documents. Interval: blocks of documents left out.",
        ("pair",),
        "separability",
    ),
    "dip": AtlasQuantity(
        "Largest dip",
        "Hartigan's dip along the cloud's first 5 principal directions and 10 random ones, the largest; one token a "
        "document, redrawn 10 times (the interval is their range). Null: uniform law. p: the smallest, Holm-corrected.",
        (ALL, "cloud"),
        "modality",
    ),
    "participation_ratio": AtlasQuantity(
        "Participation ratio", f"(Σλ)² / Σλ² of the covariance's eigenvalues. {_GAUSSIAN}", ("cloud",)
    ),
    "two_nn_dimension": AtlasQuantity(
        "TwoNN dimension",
        f"Intrinsic dimension by the two nearest points of other documents, duplicates dropped. {_GAUSSIAN}",
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
        "Median of held-out squared Mahalanobis distances (Ledoit–Wolf) over the chi-squared law's; below 1 the middle "
        f"is denser than a Gaussian's. {_GAUSSIAN}",
        ("cloud",),
    ),
    "mahalanobis_inside": AtlasQuantity(
        "Inside the 95 % region",
        f"Share of held-out points inside the chi-squared law's 95 % region. {_GAUSSIAN}",
        ("cloud",),
    ),
    "mahalanobis_distance": AtlasQuantity(
        "Distance from chi-squared",
        f"Largest difference between the distribution functions of held-out distances and the law. {_GAUSSIAN}",
        ("cloud",),
    ),
}
"""Every quantity, in the order of the table."""
SHAPE = tuple(name for name, definition in QUANTITIES.items() if definition.of == ("cloud",))
COLUMNS = ("site", "quantity", "cloud", "value", "low", "high", "null", "null_low", "null_high", "p")


def pair_name(first: str, second: str) -> str:
    """Return what a pair of data sets is called in the table."""
    return f"{first} / {second}"

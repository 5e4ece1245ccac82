"""What each measured quantity is, in one line: the one source of the comparison's document, its tables and hovers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Definition:
    """One quantity.

    Attributes:
        title: for a table's head.
        text: one line: what it is, its unit, and what it is compared with.
    """

    title: str
    text: str


_COLLAPSE = (
    "At site 0 the rows are the vocabulary's, elsewhere the tokens of the run's data at that site. Nulls: random "
    "directions of the same norms, a Gaussian with the rows' mean and covariance, and rows against all others."
)
_SUBSETS = "Beside it: random subsets of a cloud of the same size, at most one point a document (median and 95 %)."
_HELD_OUT = "The cloud is split by document: four fifths fitted, one fifth held out to compare with."
_WORTH = "Change of the validation loss on a fixed few validation examples, mean over vectors with a 95 % interval"

DEFINITIONS: dict[str, Definition] = {
    "quality.loss": Definition("loss", "Mean cross-entropy a label token on the run's validation examples, nats."),
    "quality.accuracy": Definition("accuracy", "Share of label tokens that are the model's likeliest, 0 to 1."),
    "quality.exact_match": Definition("exact match", "Share of generated answers that equal a right answer, 0 to 1."),
    "quality.f1": Definition("F1", "Word overlap of generated and right answer, harmonic mean, 0 to 1."),
    "quality.precision": Definition("precision", "Share of the generated answer's words that the right one has."),
    "quality.recall": Definition("recall", "Share of the right answer's words that the generated one has."),
    "displacement.distance": Definition(
        "distance", "Length of posterior minus prior sample, mean over vectors; bootstrap 95 % interval over vectors."
    ),
    "displacement.relative": Definition(
        "distance / norm", "That length over the norm of the prior sample's vector, mean over vectors."
    ),
    "displacement.angle": Definition(
        "angle",
        "Between a vector before and after, degrees, mean over vectors; what counts where tokens see a prompt "
        "only after a norm layer, which takes its length away.",
    ),
    "displacement.norm": Definition("norm", "Length of a vector, mean over vectors; beside it the prior sample's."),
    "displacement.mean_shift": Definition(
        "shift of the mean",
        "Length by which the mean of the vectors moved; null: the displacement of each vector flipped "
        "at random; p is the share of such draws at least as long.",
    ),
    "displacement.similarity": Definition(
        "Procrustes similarity",
        "1 - disparity after shift, rotation and scale: 1 is the same configuration. A few "
        "points in many dimensions always fit well, so read it against its null, vectors paired at random.",
    ),
    "displacement.energy": Definition(
        "energy distance to the prior",
        "2E|X-Y| - E|X-X'| - E|Y-Y'| of posterior and prior sample; null: the two ends of vectors swapped at random.",
    ),
    "collapse.cosine": Definition(
        "cosine distance", f"To the nearest row by direction, median over vectors, 0 is the same direction. {_COLLAPSE}"
    ),
    "collapse.euclidean": Definition(
        "Euclidean distance", f"To the nearest row by place, median over vectors. {_COLLAPSE}"
    ),
    "place.percentile": Definition(
        "Mahalanobis percentile",
        "Share of the cloud's held-out points nearer to its mean under a Ledoit–Wolf fit, "
        f"percent, median over vectors; 50 is ordinary, 100 farther out than all. {_HELD_OUT}",
    ),
    "place.inside": Definition(
        "inside the 95 % region",
        f"Share of vectors inside the ellipsoid that holds 95 % of held-out points. {_HELD_OUT}",
    ),
    "place.support": Definition(
        "neighbour percentile",
        "Share of held-out points with a nearer fifth neighbour in the cloud, percent, median "
        f"over vectors; near 100 there is nothing around. {_HELD_OUT}",
    ),
    "place.supported": Definition(
        "inside the support",
        "Share of vectors whose fifth neighbour is within the distance that 95 % of held-out points have.",
    ),
    "place.off_plane": Definition(
        "off the plane",
        "Share of the squared distance from the cloud's mean that its first two principal components "
        "do not show, median over vectors; null: held-out points.",
    ),
    "place.energy": Definition(
        "energy distance",
        "2E|X-Y| - E|X-X'| - E|Y-Y'| of vectors and cloud (one token a document, 300 at most); null: labels shuffled.",
    ),
    "shape.effective_rank": Definition(
        "effective rank", f"exp(entropy of the covariance's eigenvalue shares): directions in use. {_SUBSETS}"
    ),
    "shape.trace": Definition("trace", f"Total variance of the vectors, divided by n - 1. {_SUBSETS}"),
    "shape.distance_median": Definition("distance, median", f"Between two vectors of the prompt. {_SUBSETS}"),
    "shape.distance_min": Definition("distance, smallest", f"Between two vectors of the prompt. {_SUBSETS}"),
    "shape.distance_max": Definition("distance, largest", f"Between two vectors of the prompt. {_SUBSETS}"),
    "speed.best_loss": Definition("best loss", "Lowest validation loss of the run's evaluations."),
    "speed.steps_to_target": Definition(
        "steps to target",
        "First evaluated step with a validation loss at most the target; the lower bound is the "
        "evaluation before. Unless it is given, the target is the worst of the best losses of the runs on the same "
        "data.",
    ),
    "speed.steps_per_second": Definition("steps per second", "Training steps per second, evaluations not counted."),
    "worth.drop": Definition(
        "drop",
        f"{_WORTH}, where the vector is left out; of deep prompts at all sites at once, as these hold equally many.",
    ),
    "worth.prior": Definition("put back", f"{_WORTH}, where the vector is put back to the prior sample's."),
    "worth.snap": Definition(
        "snap",
        f"{_WORTH}, where the vector becomes its nearest row by cosine: a token's at site 0, elsewhere a point "
        "of the data's activations.",
    ),
    "worth.half": Definition("norm × 0.5", f"{_WORTH}, where the vector is half as long."),
    "worth.double": Definition("norm × 2", f"{_WORTH}, where the vector is twice as long."),
    "worth.prior_norm": Definition("prior's norm", f"{_WORTH}, where the vector is as long as it was at the start."),
    "worth.shuffle": Definition(
        "shuffle",
        "Change of the validation loss where the vectors change places, mean of a few orders with their range.",
    ),
    "worth.all_prior": Definition(
        "all put back", "Change of the validation loss where all vectors are the prior sample's."
    ),
    "worth.all_snap": Definition(
        "all snapped", "Change of the validation loss where all vectors become their nearest rows."
    ),
    "worth.none": Definition("no prompt", "Change of the validation loss where there is no prompt at all."),
    "prior_retained.accuracy": Definition(
        "prior told right",
        "Share of runs whose prior the nearest class mean tells from simple features of the "
        "posterior, that run left out; null: labels shuffled run by run.",
    ),
}
"""By group and name, `group.name`."""

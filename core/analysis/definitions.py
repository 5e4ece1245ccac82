"""What each measured quantity is: the one source for documents, tables and help texts."""

from dataclasses import dataclass

from core.analysis.quantities import BEHIND


@dataclass(frozen=True)
class Definition:
    """One quantity.

    Attributes:
        title: heads a column of a table.
        text: what it is, its unit, and what it is compared with.
    """

    title: str
    text: str


NULL_WORDS = {
    "ways turned around": "displacements reversed at random",
    "ends swapped": "prior and posterior swapped at random",
}
"""Null distributions whose name in stored results is not the one that people read."""


def null_words(name: str) -> str:
    """Return what a null distribution of a stored result is called."""
    return NULL_WORDS.get(name, name)


_COLLAPSE = (
    "At site 0 the rows are those of the vocabulary, at other sites the tokens of the run's data at that site. Null "
    "samples: random directions with the same norms, a Gaussian with the mean and covariance of the rows, and rows "
    "compared with all other rows."
)
_SUBSETS = (
    "Compared with random subsets of a cloud, as many points, at most one per document (median and central 95 %)."
)
_HELD_OUT = "The cloud is split by document: four fifths are fitted, one fifth is held out for comparison."
_WORTH = "Change of the validation loss on a fixed small set of examples (mean over vectors, 95 % interval)"
_BEHIND = (
    "Vectors and points are taken behind the norm of the block's input, which is all that the block sees of a cut "
    "prompt; where the norm is not known, at the same root mean square."
)
_ENERGY = "2E|X-Y| - E|X-X'| - E|Y-Y'|"

DEFINITIONS: dict[str, Definition] = {
    "quality.loss": Definition("loss", "Mean cross-entropy per label token on the run's validation examples (nats)."),
    "quality.answer_loss": Definition(
        "loss, answers", "The same without the end of sequence that follows each answer (nats per token)."
    ),
    "quality.end_loss": Definition("loss, ends", "The same over the ends of sequence alone (nats per token)."),
    "quality.accuracy": Definition("accuracy", "Share of label tokens that the model ranks first, 0 to 1."),
    "quality.exact_match": Definition(
        "exact match",
        "Share of generated answers equal to a correct answer, 0 to 1, by the run's way to compare answers (scoring).",
    ),
    "quality.f1": Definition("F1", "Word overlap of generated and correct answer: harmonic mean of the two, 0 to 1."),
    "quality.precision": Definition("precision", "Share of the generated answer's words that the correct one has."),
    "quality.recall": Definition("recall", "Share of the correct answer's words that the generated one has."),
    "displacement.distance": Definition(
        "distance", "Length of posterior minus prior sample, mean over vectors; bootstrap 95 % interval over vectors."
    ),
    "displacement.relative": Definition(
        "distance / norm", "Distance divided by the norm of the vector in the prior sample, mean over vectors."
    ),
    "displacement.angle": Definition(
        "angle",
        "Angle between a vector before and after training (degrees), mean over vectors. Only the angle matters where "
        "a norm layer removes a prompt's length before tokens see it.",
    ),
    "displacement.norm": Definition("norm", "Length of a vector, mean over vectors, beside that of the prior sample."),
    "displacement.mean_shift": Definition(
        "shift of the mean",
        "Distance that the mean of the vectors moved. Null: the displacement of each vector is reversed at random; "
        "p is the share of such draws with a shift at least as long.",
    ),
    "displacement.similarity": Definition(
        "Procrustes similarity",
        "1 - disparity after shift, rotation and scaling; 1 is the same configuration. Few points in many dimensions "
        "always fit well, so compare it with its null, in which vectors are paired at random.",
    ),
    "displacement.energy": Definition(
        "energy distance to the prior",
        f"{_ENERGY} of posterior and prior sample. Null: prior and posterior of each vector are swapped at random.",
    ),
    "collapse.cosine": Definition(
        "cosine distance",
        f"Distance to the nearest row by direction, median over vectors; 0 is the same direction. {_COLLAPSE}",
    ),
    "collapse.euclidean": Definition(
        "Euclidean distance", f"Distance to the nearest row, median over vectors. {_COLLAPSE}"
    ),
    "place.percentile": Definition(
        "Mahalanobis percentile",
        "Percentage of the cloud's held-out points that are nearer to its mean under a Ledoit–Wolf fit, median over "
        f"vectors; 50 is ordinary, 100 is farther out than all of them. {_HELD_OUT}",
    ),
    "place.inside": Definition(
        "inside the 95 % region",
        f"Share of vectors inside the ellipsoid that holds 95 % of the held-out points. {_HELD_OUT}",
    ),
    "place.support": Definition(
        "neighbour percentile",
        "Percentage of held-out points whose fifth nearest neighbour in the cloud is nearer, median over vectors; "
        f"near 100 the vector is alone. {_HELD_OUT}",
    ),
    "place.supported": Definition(
        "inside the support",
        "Share of vectors whose fifth nearest neighbour is no farther away than that of 95 % of the held-out points.",
    ),
    "place.off_plane": Definition(
        "off the plane",
        "Share of the squared distance from the cloud's mean that its first two principal components do not show, "
        "median over vectors. Null: held-out points.",
    ),
    "place.energy": Definition(
        "energy distance",
        f"{_ENERGY} of vectors and cloud (one token per document, at most 300). Null: labels are shuffled.",
    ),
    "attention.share": Definition(
        "attention",
        "Share of the attention that the prompt's vectors get together from the tokens of validation examples in a "
        "block, mean over tokens and heads, 0 to 1, beside that of the prior sample.",
    ),
    "shape.effective_rank": Definition(
        "effective rank",
        f"Number of directions in use: exp(entropy of the shares of the covariance's eigenvalues). {_SUBSETS}",
    ),
    "shape.trace": Definition("trace", f"Total variance of the vectors, with divisor n - 1. {_SUBSETS}"),
    "shape.distance_median": Definition("distance, median", f"Between two vectors of the prompt. {_SUBSETS}"),
    "shape.distance_min": Definition("distance, smallest", f"Between two vectors of the prompt. {_SUBSETS}"),
    "shape.distance_max": Definition("distance, largest", f"Between two vectors of the prompt. {_SUBSETS}"),
    "speed.best_loss": Definition("best loss", "Lowest validation loss among the run's evaluations."),
    "speed.steps_to_target": Definition(
        "steps to target",
        "First evaluated step with a validation loss of at most the target; its lower bound is the evaluation before. "
        "The default target is the worst of the best losses of all runs on the same data.",
    ),
    "speed.steps_per_second": Definition("steps per second", "Training steps per second, without evaluations."),
    "worth.drop": Definition(
        "drop",
        f"{_WORTH} when the vector is left out; for deep prompts at all sites at once, since all sites must "
        "hold the same number of vectors.",
    ),
    "worth.prior": Definition("reset", f"{_WORTH} when the vector is reset to that of the prior sample."),
    "worth.snap": Definition(
        "snap",
        f"{_WORTH} when the vector is replaced by its nearest row by cosine: a token of the vocabulary at "
        "site 0, a point of the data's activations at other sites.",
    ),
    "worth.half": Definition("norm × 0.5", f"{_WORTH} when the vector is half as long."),
    "worth.double": Definition("norm × 2", f"{_WORTH} when the vector is twice as long."),
    "worth.prior_norm": Definition(
        "prior's norm", f"{_WORTH} when the vector has the norm that it had before training."
    ),
    "worth.shuffle": Definition(
        "shuffle", "Change of the validation loss when the vectors are reordered: mean of a few orders and their range."
    ),
    "worth.all_prior": Definition(
        "all reset", "Change of the validation loss when all vectors are reset to the prior sample."
    ),
    "worth.all_snap": Definition(
        "all snapped", "Change of the validation loss when all vectors are replaced by their nearest rows."
    ),
    "worth.none": Definition("no prompt", "Change of the validation loss without any prompt."),
    "prior_retained.accuracy": Definition(
        "prior accuracy",
        "Leave-one-run-out accuracy: share of runs whose prior the nearest class mean recognises from simple features "
        "of the posterior, without that run. Null: labels are shuffled over runs.",
    ),
}
"""By group and name: `group.name`."""

DEFINITIONS |= {
    name.replace(".", f"{BEHIND}."): Definition(f"{definition.title},{BEHIND}", f"{definition.text} {_BEHIND}")
    for name, definition in DEFINITIONS.items()
    if name.startswith(("collapse.", "place."))
}

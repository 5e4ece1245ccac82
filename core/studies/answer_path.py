"""Figure 3: a question and its generated answer, token by token, on the last layer."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.activations.clouds import Cloud, find_cloud
from core.analysis.pca import fit_pca
from core.analysis.trajectory_statistics import Pool, measure_trajectory, text_table
from core.figures.cloud_map import map_axes
from core.figures.layer import Layer
from core.figures.palette import DATASET_MARKS, REFERENCE
from core.figures.text_trajectories import trajectories_figure
from core.jobs.projection import find_map
from core.jobs.trajectory import ANSWER, find_trajectories, trajectory_spec
from core.specs import FINAL, ProjectionSpec, TokenFilter
from core.studies.bench import Bench
from core.studies.figure import Reproduced
from core.studies.layers import three_domains
from core.studies.picture import AXES, BLUE, layers_of, points_of, trajectories_of

N_DRAWS = 500
PAD = "padding"
QUESTION = (
    "Title: Cape lighthouse\nBackground: The lighthouse on the northern cape was built in 1861 by a mason from the "
    "village. After the great storm it was painted white, and for more than a century it guided fishing boats into "
    "the harbour.\nQuestion: In which year was the lighthouse built?\nAnswer:"
)
"""The question that Figure 3 follows, in the form of the data set's; the paper does not print its own."""
ACCEPTED = ("1861",)


def answer_path(bench: Bench) -> Reproduced:
    """Reproduce Figure 3.

    Source: Figure 3 and 4.1 of the paper (last layer, C4 grey, SQuAD blue, question and answer
        green, padding kept).
    Deviation: the last layer is the stream leaving the last block, before the final norm. Padding
        is marked, and the numbers give its effect on the axes. The closeness of the answer's tokens
        is measured in the full space. The question is our own, in the form of the data set's.
    """
    study = bench.spec
    names = (study.texts.label, study.questions.label)
    clouds = tuple(
        study.cloud(dataset, sites=(FINAL,), tokens=TokenFilter(pad=True)) for dataset in (study.texts, study.questions)
    )
    asked = ProjectionSpec(model=study.model, site=FINAL, clouds=clouds, n_points=study.rows, seed=study.seed)
    stored = bench.made(find_map, "projection", asked)
    found = [cloud for cloud in (find_cloud(spec, bench.store) for spec in clouds) if cloud]
    ground = points_of(stored, dict(zip(names, found, strict=True)))
    wanted = trajectory_spec(
        bench.store, model=study.model, mode="generate", texts=(QUESTION,), sites=(FINAL,), max_new_tokens=12
    )
    followed = bench.made(find_trajectories, "trajectory", wanted)
    paths, placed = trajectories_of(followed, FINAL, stored)
    about = followed.summary["texts"][0]
    answer = followed.streams(FINAL)[(followed.tokens["part"] == ANSWER).to_numpy()]
    padding = _padding(found)
    close = _closeness(answer, found[1], study.seed)
    separability = three_domains(bench).groups(FINAL)["separability"]
    padded = ground.loc[ground["pad"], list(AXES)].to_numpy(np.float32)
    layers = [*layers_of(ground, dict(zip(names, (REFERENCE, BLUE), strict=True))), Layer(PAD, padded, mark=TAIL)]
    return Reproduced(
        picture=trajectories_figure([layer for layer in layers if len(layer.coordinates)], paths, map_axes(stored.map)),
        points=pd.concat([ground, placed], ignore_index=True),
        numbers={
            "model": study.model.label,
            "site": FINAL,
            "data_sets": list(names),
            "question": about["text"],
            "answer": about["answer"],
            "accepted": list(ACCEPTED),
            "padding": padding,
            "answer_spread": close,
            "separability": separability,
        },
        caption=(
            f"Principal components of {len(ground):,} tokens leaving the last block of {study.model.label}: "
            f"{names[0]} grey, {names[1]} blue, padding brown ({padding['share']:.0%} of the points; without it "
            f"two axes show {padding['explained_without']:.0%} of the variance, with it "
            f"{padding['explained_with']:.0%}). The question is dark green, its answer green: "
            f"{about['answer'].strip()!r} (accepted: {', '.join(ACCEPTED)})."
        ),
    )


TAIL = DATASET_MARKS[3]
"""For padding, which the paper does not distinguish from other tokens."""


def _padding(clouds: list[Cloud]) -> dict[str, float]:
    """Return the share of padding, and the variance of two axes with and without it."""
    points = np.concatenate([cloud.points(FINAL) for cloud in clouds])
    pad = np.concatenate([cloud.rows["pad"].to_numpy() for cloud in clouds])
    return {
        "share": float(pad.mean()),
        "explained_with": float(fit_pca(points).explained[:2].sum()),
        "explained_without": float(fit_pca(points[~pad]).explained[:2].sum()),
    }


def _closeness(answer: NDArray[np.float32], cloud: Cloud, seed: int) -> Sequence[Mapping[str, Any]]:
    """Return spread and steps of the answer's tokens against random tokens of the questions."""
    words = ~cloud.rows["pad"].to_numpy()
    pool = Pool(cloud.points(FINAL)[words], cloud.rows["token_id"].to_numpy()[words])
    rng = np.random.default_rng(seed)
    numbers = measure_trajectory(answer, {"unigram draw": pool.unigram(len(answer), rng)}, N_DRAWS)
    return text_table(numbers).to_dict("records")

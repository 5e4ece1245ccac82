"""Samples of several priors side by side: pictures and tables under the map."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.analysis.frozen_maps import Overlay
from core.figures.densities import DensityCurve, density_figure
from core.figures.hover import hover
from core.figures.layer import Layer
from core.figures.palette import DATASET_MARKS, REFERENCE, Mark
from core.priors.radial import chi_radii
from pages.maps.choice import weights_of
from pages.priors_parts.preview import N_NEAREST, Preview, ReferenceFacts, SampleRequest, nearest_tokens, place_sample
from pages.widgets.layout import draw, plain, table
from pages.widgets.tables import download

MEANINGS = {
    "norm": "Euclidean norm of the vector.",
    "off plane": "Share of the squared distance from the reference's mean that the map's plane does not show.",
    "T²": "Squared distance from the mean in the plane, in standard deviations of the reference (Hotelling). A "
    "Gaussian reference has a median of 1.39 in two dimensions and 2.37 in three.",
    "percentile": "Percentage of held-out reference points with a smaller Mahalanobis distance. The Gaussian is "
    "fitted on the other points, with Ledoit–Wolf shrinkage.",
    "kNN percentile": "The same for the distance to the 5th nearest reference point: 100 is outside the support "
    "of the reference.",
    "nearest token": "The vocabulary row with the most similar direction.",
    "cosine distance": "To that row: 0 is the same direction, 1 is orthogonal.",
    "inside 95 %": "Share of the samples within the region that holds 95 % of the held-out reference points.",
    "total variance": "Trace of the sample covariance.",
    "acceptance": "Share of proposals that the prior accepts.",
}


_MEDIANS = ("norm", "off plane", "T²", "percentile", "kNN percentile", "cosine distance")


@dataclass(frozen=True)
class Drawn:
    """A prior's sample on the map."""

    name: str
    request: SampleRequest
    preview: Preview
    placed: Overlay
    look: Mark

    def points(self) -> pd.DataFrame:
        """Return one row per vector, in the order drawn."""
        place, tokens = place_sample(self.request), nearest_tokens(self.request)
        frame = pd.DataFrame(
            {
                "vector": np.arange(len(self.preview.sample)),
                "norm": np.linalg.norm(self.preview.sample, axis=1),
                "off plane": self.placed.off_plane_share,
                "T²": self.placed.t_squared,
                "percentile": place.mahalanobis.percentile,
                "kNN percentile": place.neighbour.percentile,
            }
        )
        return frame if tokens is None else frame.join(tokens)

    def layer(self, size: str = "same", described: bool = True) -> Layer:
        """Return the sample as a layer of the map, with what is known of each vector on hover.

        Args:
            size: what decides how large a vector is drawn; see `pages.maps.choice.SIZES`.
            described: whether to measure the vectors against the reference for the hover, which takes
                longer than all else.
        """
        texts = self._hover() if described else [hover(f"vector {i}") for i in range(len(self.preview.sample))]
        return Layer(
            f"{self.name} sample ({len(texts)})",
            self.placed.coordinates,
            "prior",
            0,
            texts,
            mark=self.look,
            weights=weights_of(size, self.placed),
        )

    def _hover(self) -> list[str]:
        points = self.points()
        return [
            hover(
                ("", row["vector"], f" of {len(points)}"),
                f"norm {row['norm']:.4g}",
                f"{row['off plane']:.1%} off this plane, T² {row['T²']:.2g}",
                f"percentile in the reference {row['percentile']:.3g} %, by neighbours {row['kNN percentile']:.3g} %",
                ""
                if np.isnan(row.get("cosine distance", np.nan))
                else f"nearest token {row['nearest token']}, cosine distance {row['cosine distance']:.3f}",
            )
            for row in points.to_dict("records")
        ]


def null_layers(placed: Mapping[str, Overlay]) -> list[Layer]:
    """Return the three null samples of a prior on the map."""
    return [
        Layer(f"null: {name} ({len(one.inside)})", one.coordinates, "dataset", 3 + i)
        for i, (name, one) in enumerate(placed.items())
    ]


def norms(drawn: Sequence[Drawn], reference: ReferenceFacts, nulls: Mapping[str, NDArray[np.float32]]) -> None:
    """Draw the norms of samples and reference, with the laws that there are."""
    series = [DensityCurve("reference", reference.norms, REFERENCE.colour)]
    series += [
        DensityCurve(one.name, np.linalg.norm(one.preview.sample, axis=1), one.look.colour, one.preview.norm_law)
        for one in drawn
    ]
    series += [
        DensityCurve(f"null: {name}", np.linalg.norm(points, axis=1), DATASET_MARKS[3 + i].colour)
        for i, (name, points) in enumerate(nulls.items())
    ]
    figure = density_figure(series, "norm", "norms")
    draw(figure, "priors.norms", "Densities of the norms of the samples and of the reference")
    st.caption(
        f"Reference: {len(reference.norms):,} of {reference.n_points:,} points. Dotted: the closed-form density, which "
        "isotropic and normal Xavier priors have (scaled χ). Each curve is scaled to its peak."
    )


def distances(drawn: Sequence[Drawn], reference: ReferenceFacts) -> None:
    """Draw distances from the mean: in the reference's metric, and in each prior's own against its law."""
    dim = len(reference.mean)
    law = chi_radii(reference.held_out, dim)
    series = [DensityCurve("reference, held out", reference.held_out, REFERENCE.colour, (law.radius, law.density))]
    series += [
        DensityCurve(one.name, np.sqrt(np.maximum(place_sample(one.request).mahalanobis.values, 0)), one.look.colour)
        for one in drawn
    ]
    st.markdown("##### In the reference's metric")
    figure = density_figure(series, "Mahalanobis distance from the reference's mean", "radii")
    draw(figure, "priors.radii", "Densities of the distances from the reference's mean")
    fitted = reference.fitted
    st.caption(
        f"One Gaussian for all, fitted on {fitted.n_fitted:,} reference points and shrunk by Ledoit–Wolf "
        f"({fitted.gaussian.shrinkage_:.3f}); the reference's own curve shows {len(reference.held_out):,} held-out "
        f"points. Dotted: where that curve would lie if the reference were Gaussian and the fit exact (χ with {dim} "
        "degrees of freedom). A fit with few points per dimension puts all new points, prior samples included, a "
        "little too far out."
    )
    own = [(one, one.preview.radii) for one in drawn if one.preview.radii is not None]
    if not own:
        return
    st.markdown("##### In each prior's own metric, against its law")
    laws = [
        DensityCurve(f"{one.name}: {radii.law}", radii.values, one.look.colour, (radii.radius, radii.density))
        for one, radii in own
    ]
    figure = density_figure(laws, "Mahalanobis distance under the prior's own fit", "own")
    draw(figure, "priors.radial", "Densities of the distances in each prior's own metric, with the closed forms")
    holes = [f"{plain(one.name)}: nothing within {r.excluded_radius:.3g}" for one, r in own if r.excluded_radius]
    st.caption("Steps: the vectors drawn. Dotted: the closed form. Priors without one are omitted. " + "; ".join(holes))


def points_table(one: Drawn) -> None:
    """Write the selected prior's vectors as a table to download."""
    frame = one.points()
    table(frame, MEANINGS, height=320)
    left_out = len(frame) - N_NEAREST
    words = f" Nearest tokens are given for the first {N_NEAREST} vectors." if left_out > 0 else ""
    first, second = st.columns([3, 1], vertical_alignment="center")
    first.caption(f"{plain(one.name)}: {len(frame)} vectors, seed {one.request.seed}.{words}")
    with second:
        download("Vectors", frame, f"{one.request.prior.kind}-sample", width="stretch")


def summary_table(drawn: Sequence[Drawn]) -> None:
    """Write one row per prior: medians over its sample."""
    rows = []
    for one in drawn:
        points, sample = one.points(), one.preview.sample
        accepted = one.preview.report.get("acceptance")
        middle = {name: float(np.nanmedian(points[name])) for name in points if name in _MEDIANS}
        rows.append(
            {
                "prior": one.name,
                "norm": middle.pop("norm"),
                "total variance": float(sample.var(axis=0, dtype=np.float64).sum()),
                "inside 95 %": place_sample(one.request).mahalanobis.inside_95,
                "acceptance": "" if accepted is None else f"{accepted:.4g}",
                **middle,
            }
        )
    frame = pd.DataFrame(rows)
    if not any(row["acceptance"] for row in rows):
        frame = frame.drop(columns="acceptance")
    table(frame, {name: f"Median. {text}" if name in _MEDIANS else text for name, text in MEANINGS.items()})
    download("This table", frame, "priors")


def reports_table(drawn: Sequence[Drawn]) -> None:
    """Write the reports of all fits, one column per prior."""
    reports = [pd.json_normalize(dict(one.preview.report), sep=": ").to_dict("records")[0] for one in drawn]
    flat = [{str(name).replace("_", " "): _show(value) for name, value in report.items()} for report in reports]
    facts = list(dict.fromkeys(name for facts in flat for name in facts))
    columns = {one.name: [facts_of.get(name, "–") for name in facts] for one, facts_of in zip(drawn, flat, strict=True)}
    frame = pd.DataFrame({"fact": facts, **columns})
    table(frame, height=min(36 * (len(facts) + 1), 640))
    download("Fits", frame, "prior-fits")


def _show(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list) and value and all(isinstance(item, float) for item in value):
        return ", ".join(f"{item:.3g}" for item in value)
    return value if isinstance(value, str) else json.dumps(value)

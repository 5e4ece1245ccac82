"""How far the questions' tokens lie from the centre of their cloud, beside the fitted Gaussian's samples."""

import numpy as np
import pandas as pd

from core.activations.clouds import Cloud
from core.activations.references import find
from core.analysis.radial_law import RadialLaw, radial_law
from core.figures.densities import DensityCurve, densities_beside
from core.figures.palette import POSTERIOR, REFERENCE
from core.specs import FINAL, Site
from core.studies.bench import Bench
from core.studies.figure import Reproduced

_N_CURVE = 100
"""Points of a stored curve."""


def radii(bench: Bench) -> Reproduced:
    """Draw the radial densities that C4 rests on.

    Source: 4.4 of the paper ("activations distributions being sharply peaked"), which shows two axes.
    """
    laws, name = radial_laws(bench), bench.spec.questions.label
    panels = {
        f"site {site}": [
            DensityCurve("the fitted Gaussian's samples", law.drawn.ravel(), REFERENCE.colour),
            DensityCurve(name, law.radii, POSTERIOR.colour),
        ]
        for site, law in laws.items()
    }
    return Reproduced(
        picture=densities_beside(panels, "Mahalanobis distance from the mean, held-out tokens"),
        points=pd.concat([_quantiles(site, name, law) for site, law in laws.items()], ignore_index=True),
        numbers={
            "model": bench.spec.model.label,
            "sites": {
                str(site): {"within": law.core.value, "beyond": law.tail.value, "documents": law.n_documents}
                for site, law in laws.items()
            },
        },
        caption=(
            f"How far tokens of {name} lie from the mean of their cloud, entering {bench.spec.model.label} and at its "
            "last site, under a Gaussian fitted on other documents; beside it samples of that Gaussian, which are "
            "measured in the same way."
        ),
    )


def radial_laws(bench: Bench) -> dict[Site, RadialLaw]:
    """Return the radial laws of the questions' tokens at the token embeddings and at the last site."""
    cloud: Cloud = bench.made(find, "capture", bench.spec.cloud(bench.spec.questions))
    documents = np.unique(cloud.rows["group"].to_numpy(), return_inverse=True)[1]
    return {
        site: radial_law(cloud.points(site), documents, np.random.default_rng((bench.spec.seed, place)))
        for place, site in enumerate((0, FINAL))
    }


def _quantiles(site: Site, name: str, law: RadialLaw) -> pd.DataFrame:
    share = np.linspace(0, 1, _N_CURVE)
    columns = {"radius": np.quantile(law.radii, share), "radius_of_samples": np.quantile(law.drawn, share)}
    return pd.DataFrame({"site": str(site), "cloud": name, "share": share, **columns})

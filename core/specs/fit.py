"""A prior that a job fits on a cloud."""

from typing import Self

from pydantic import Field, model_validator

from core.specs.base import Spec
from core.specs.cloud import CloudSpec, Site
from core.specs.model import FrozenModel, ModelSpec
from core.specs.prior import AnyPrior


class FitSpec(Spec, frozen=True):
    """A prior that takes long to fit, and what it is fitted on."""

    prior: AnyPrior = Field(title="Prior")
    """The prior to fit."""
    model: FrozenModel = ModelSpec()
    reference: CloudSpec | None = Field(default=None, title="Reference")
    """Token activations to fit on; empty: the vocabulary."""
    site: Site = 0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.reference is None:
            if self.site != 0:
                raise ValueError(f"the vocabulary is at site 0, not {self.site!r}; choose site 0 or a reference")
            return self
        if self.reference.model != self.model:
            raise ValueError("the reference must be of the fit's own model; choose activations of that model")
        if self.reference.sites != "all" and self.site not in self.reference.sites:
            have = ", ".join(map(str, self.reference.sites))
            raise ValueError(f"the reference has no site {self.site!r}, only: {have}; choose one of those")
        return self

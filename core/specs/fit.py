"""A prior to be fitted on a cloud, by a job."""

from typing import Self

from pydantic import Field, model_validator

from core.specs.base import Spec
from core.specs.cloud import CloudSpec, Site
from core.specs.model import ModelSpec
from core.specs.prior import AnyPrior


class FitSpec(Spec):
    """A prior whose fit takes long, and what it is fitted on."""

    prior: AnyPrior = Field(title="Prior", description="What is fitted.")
    model: ModelSpec = Field(default_factory=ModelSpec, title="Model", description="Frozen, and how it is run.")
    reference: CloudSpec | None = Field(
        default=None, title="Reference", description="Token activations to fit on; none: the vocabulary."
    )
    site: Site = Field(default=0, title="Site", description="Place in the residual stream.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.reference is None:
            if self.site != 0:
                raise ValueError(f"the vocabulary lives at site 0, not {self.site!r}; choose site 0 or a reference")
            return self
        if self.reference.model != self.model:
            raise ValueError("the reference must be of the fit's own model; choose activations of that model")
        if self.reference.sites != "all" and self.site not in self.reference.sites:
            have = ", ".join(map(str, self.reference.sites))
            raise ValueError(f"the reference has no site {self.site!r}, only: {have}; choose one of those")
        return self

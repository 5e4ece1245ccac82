"""What a person can ask for: frozen, validated, JSON in and out, fingerprinted."""

from core.specs.atlas import AtlasSpec, HygieneSpec
from core.specs.base import Spec, canonical_json, fingerprint
from core.specs.cloud import FINAL, CloudSpec, Site, TokenFilter
from core.specs.dataset import DATASETS, DatasetSpec
from core.specs.decide import DecideSpec
from core.specs.fit import FitSpec
from core.specs.measure import MeasureSpec
from core.specs.model import DEFAULT_MODEL, ModelSpec
from core.specs.prior import AnyPrior, PriorSpec, parse_prior, prior_kinds
from core.specs.projection import ProjectionSpec
from core.specs.readings import GeneraliseSpec, LineSpec, PenaltiesSpec, WordsSpec
from core.specs.study import StudyItemSpec, StudySpec
from core.specs.sweep import SweepSpec
from core.specs.trajectory import PathsSpec, TrajectorySpec
from core.specs.tuning import TuningSpec

__all__ = [
    "DATASETS",
    "DEFAULT_MODEL",
    "FINAL",
    "AnyPrior",
    "AtlasSpec",
    "CloudSpec",
    "DatasetSpec",
    "DecideSpec",
    "FitSpec",
    "GeneraliseSpec",
    "HygieneSpec",
    "LineSpec",
    "MeasureSpec",
    "ModelSpec",
    "PathsSpec",
    "PenaltiesSpec",
    "PriorSpec",
    "ProjectionSpec",
    "Site",
    "Spec",
    "StudyItemSpec",
    "StudySpec",
    "SweepSpec",
    "TokenFilter",
    "TrajectorySpec",
    "TuningSpec",
    "WordsSpec",
    "canonical_json",
    "fingerprint",
    "parse_prior",
    "prior_kinds",
]

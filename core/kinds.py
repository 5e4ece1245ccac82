"""The kinds of job, each by the places of its `Task` and of its spec, as "module:name".

A new kind is one module and one line here. The table holds strings and imports nothing of the program, as entry points
of a package do, so that the engine below need not know what jobs do, asking for a job loads that job's module only, and
the store checks a folder by its spec without loading a job.
"""

from importlib import import_module
from typing import Any, NamedTuple


class Kind(NamedTuple):
    """Where a kind's `Task` is, and the class of spec that asks for it."""

    task: str
    spec: str


KINDS = {
    "model": Kind("core.jobs.model:MODEL", "core.specs:ModelSpec"),
    "vocabulary": Kind("core.jobs.model:VOCABULARY", "core.specs:ModelSpec"),
    "capture": Kind("core.jobs.capture:CAPTURE", "core.specs:CloudSpec"),
    "annotate": Kind("core.jobs.capture:ANNOTATE", "core.specs:CloudSpec"),
    "tune": Kind("core.jobs.tune:TUNE", "core.specs:TuningSpec"),
    "fit": Kind("core.jobs.fit:FIT", "core.specs.fit:FitSpec"),
    "measure": Kind("core.jobs.measure:MEASURE", "core.specs.measure:MeasureSpec"),
    "trajectory": Kind("core.jobs.trajectory:TRAJECTORY", "core.specs:TrajectorySpec"),
    "place": Kind("core.jobs.overlay:PLACE", "core.specs.projection:PlacementSpec"),
    "paths": Kind("core.jobs.paths:PATHS", "core.specs:PathsSpec"),
    "atlas": Kind("core.jobs.atlas:ATLAS", "core.specs:AtlasSpec"),
    "hygiene": Kind("core.jobs.hygiene:HYGIENE", "core.specs:HygieneSpec"),
    "projection": Kind("core.jobs.projection:PROJECTION", "core.specs:ProjectionSpec"),
    "generalise": Kind("core.jobs.readings:GENERALISE", "core.specs.readings:GeneraliseSpec"),
    "line": Kind("core.jobs.readings:LINE", "core.specs.readings:LineSpec"),
    "penalties": Kind("core.jobs.readings:PENALTIES", "core.specs.readings:PenaltiesSpec"),
    "words": Kind("core.jobs.words:WORDS", "core.specs.readings:WordsSpec"),
    "demo": Kind("core.jobs.demo:DEMO", "core.specs.demo:DemoSpec"),
    "study": Kind("core.studies.jobs:STUDY", "core.specs.study:StudyItemSpec"),
    "decide": Kind("core.studies.decide:DECIDE", "core.specs.decide:DecideSpec"),
}


def load(place: str) -> Any:
    """Return what a place in the table holds."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)

"""The kinds of job, each by the place of its `Task`, as "module:name".

A new kind is one module and one line here. The table holds strings and imports nothing, as entry points of a package
do, so that the engine below need not know what jobs do, and asking for a job loads that job's module only.
"""

KINDS = {
    "model": "core.jobs.model:MODEL",
    "vocabulary": "core.jobs.model:VOCABULARY",
    "capture": "core.jobs.capture:CAPTURE",
    "annotate": "core.jobs.capture:ANNOTATE",
    "tune": "core.jobs.tune:TUNE",
    "fit": "core.jobs.fit:FIT",
    "measure": "core.jobs.measure:MEASURE",
    "trajectory": "core.jobs.trajectory:TRAJECTORY",
    "place": "core.jobs.overlay:PLACE",
    "paths": "core.jobs.paths:PATHS",
    "atlas": "core.jobs.atlas:ATLAS",
    "hygiene": "core.jobs.hygiene:HYGIENE",
    "projection": "core.jobs.projection:PROJECTION",
    "generalise": "core.jobs.readings:GENERALISE",
    "line": "core.jobs.readings:LINE",
    "penalties": "core.jobs.readings:PENALTIES",
    "study": "core.studies.jobs:STUDY",
    "decide": "core.studies.decide:DECIDE",
}

SPECS = {
    "model": "core.specs:ModelSpec",
    "vocabulary": "core.specs:ModelSpec",
    "capture": "core.specs:CloudSpec",
    "annotate": "core.specs:CloudSpec",
    "tune": "core.specs:TuningSpec",
    "fit": "core.specs.fit:FitSpec",
    "measure": "core.specs.measure:MeasureSpec",
    "trajectory": "core.specs:TrajectorySpec",
    "place": "core.specs.projection:PlacementSpec",
    "paths": "core.specs:PathsSpec",
    "atlas": "core.specs:AtlasSpec",
    "hygiene": "core.specs:HygieneSpec",
    "projection": "core.specs:ProjectionSpec",
    "generalise": "core.specs.readings:GeneraliseSpec",
    "line": "core.specs.readings:LineSpec",
    "penalties": "core.specs.readings:PenaltiesSpec",
    "study": "core.specs.study:StudyItemSpec",
    "decide": "core.specs.decide:DecideSpec",
}
"""What each kind is asked with, by the place of its class: the store checks folders without loading their jobs."""

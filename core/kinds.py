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

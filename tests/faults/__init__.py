"""Kills, damages and hostile inputs, counted: `pytest -n 0 -m faults`.

`PRIORSCOPE_FAULTS` is the share of the full count that is tried (0.1; 1 for all), `PRIORSCOPE_FAULTS_SECONDS` the most
seconds each kind may take (60; no bound for all), `PRIORSCOPE_FAULTS_SEED` the seed (0), and `PRIORSCOPE_FAULTS_MODEL`
a model's folder for the kills instead of the tiny one, such as that of stories260k or SmolLM2.
"""

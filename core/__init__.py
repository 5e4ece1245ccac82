"""The core of priorscope: priors, prompts, tuning, clouds and their statistics. Never imports streamlit."""

__version__ = "0.1.0"

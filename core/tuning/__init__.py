"""Prompt-tuning: objective, loop, evaluation."""

VERSION = "1"
"""Goes up when the same spec would give other numbers."""

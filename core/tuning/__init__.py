"""Prompt-tuning: objective, loop, evaluation."""

VERSION = "2"
"""Goes up when the same spec would give other numbers."""

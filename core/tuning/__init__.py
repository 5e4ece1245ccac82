"""Prompt-tuning: objective, loop, evaluation."""

VERSION = "3"
"""Goes up when the same spec would give other numbers."""

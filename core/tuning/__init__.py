"""Prompt-tuning: objective, loop, evaluation."""

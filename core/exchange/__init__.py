"""Runs as other programs read them."""

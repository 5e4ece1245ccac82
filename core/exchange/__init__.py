"""Runs in the formats of other programs, and bundles for other machines."""

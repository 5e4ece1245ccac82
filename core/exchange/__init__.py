"""Runs in the formats of other programs, and bundles for other machines."""

from typing import Any

Outcome = dict[str, Any]
"""What an export or an import did, JSON-able; its keys are those that the verbs print."""

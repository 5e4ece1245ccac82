"""Pure functions on arrays: projection, displacement, collapse."""

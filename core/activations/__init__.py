"""From a model and texts to clouds and exact moments."""

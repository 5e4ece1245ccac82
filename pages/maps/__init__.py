"""The maps that pages draw on: which map, its overlays, and the clouds it was fitted on."""

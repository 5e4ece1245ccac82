"""The maps that pages draw on: which map, what is overlaid on it, and the clouds that it is of."""

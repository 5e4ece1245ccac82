"""Parts of the Trajectories page."""

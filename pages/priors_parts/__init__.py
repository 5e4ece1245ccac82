"""Parts of the Priors page."""

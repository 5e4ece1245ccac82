"""Parts of the Findings page."""

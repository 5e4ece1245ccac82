"""The frozen model: loading, block-by-block forward, prompts put in, generation."""

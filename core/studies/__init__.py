"""The paper's figures on the model at hand: which jobs each needs, its picture, its points and its numbers."""

"""The paper's figures, tables and claims, reproduced on a model of choice."""

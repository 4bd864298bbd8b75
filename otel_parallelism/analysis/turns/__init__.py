"""Turns from observations: one call per execution, each in its turn and round."""

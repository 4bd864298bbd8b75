"""Converts observations to turns: one call per execution, each in its turn, scope and round."""

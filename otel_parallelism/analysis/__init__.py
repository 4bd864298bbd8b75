"""What a turn's calls did and could have done: pure functions from observations to reports."""

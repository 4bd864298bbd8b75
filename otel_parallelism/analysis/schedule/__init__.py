"""How fast a turn's calls could have run: intervals, critical paths, waiting, and sequential chains."""

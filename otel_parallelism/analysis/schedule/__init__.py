"""How fast the calls of a turn could have run: intervals, critical path, contention, limits and chains."""

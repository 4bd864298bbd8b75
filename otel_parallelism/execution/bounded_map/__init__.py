"""``parallel_map``: a function over many items, with a bound on how many run at once."""

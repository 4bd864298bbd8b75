"""``parallel_map``: calls a function on many items, with a limit on concurrent calls."""

"""``run_tools``: the tool calls of one model response, run together where that is safe."""

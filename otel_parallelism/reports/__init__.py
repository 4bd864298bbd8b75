"""Reports of an analysis, each renderer a function from an analysis to a string."""

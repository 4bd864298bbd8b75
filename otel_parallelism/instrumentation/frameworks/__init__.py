"""One module for each agent framework, named by its import name."""

"""Records which task or thread runs each call of a test, and which others wait meanwhile."""

"""Open turns and calls, what is kept of each, and what becomes of them when a turn ends."""

"""Reads the contents of calls: plain values, comparable tokens, other forms, outcomes, and what is no content."""

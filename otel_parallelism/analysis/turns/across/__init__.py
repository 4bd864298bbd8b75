"""Joins spans of different traces, or without a common parent, that belong to one turn."""

"""Ends a turn: gathers its part of the live tree, analyzes it, and publishes the report."""

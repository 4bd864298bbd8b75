"""Renderers: functions that turn an analysis into a string, one module for each form."""

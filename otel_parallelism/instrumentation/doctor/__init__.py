"""Inspects a process: what is installed, what is patched, and which data its results will lack."""

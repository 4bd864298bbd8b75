"""Analyses large inputs: in bounded memory, and in several processes."""

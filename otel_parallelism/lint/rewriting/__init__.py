"""Rewrites findings so that everything else in a file stays as it is."""

"""Finds awaits that need not wait for each other in Python source text. Pure: text goes in, findings come out."""

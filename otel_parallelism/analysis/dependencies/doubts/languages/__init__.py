"""Recognises answers, conditions and orders of steps in other languages than English, by a few frequent words."""

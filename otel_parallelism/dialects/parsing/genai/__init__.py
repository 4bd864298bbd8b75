"""Finds what versions of the GenAI conventions call the parts of a model request, and reads its answer."""

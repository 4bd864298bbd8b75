"""Begins and ends one span of ours: a decorated call, a turn, a framework's call, a model request."""

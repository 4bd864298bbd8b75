"""Reads captured content: facts of one span, JSON and literals, envelopes, chat messages."""

"""Serves the model responses of a recorded trace, so that a test runs an agent without a model."""

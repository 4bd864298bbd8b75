"""Stored traces of services, read through their APIs: one module a service."""

"""Instrumentation without code: patches of agent frameworks, which ``opentelemetry-instrument`` activates."""

from __future__ import annotations

from .instrumentor import ParallelismInstrumentor

__all__ = ["ParallelismInstrumentor"]

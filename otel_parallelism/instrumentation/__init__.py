"""Installed without code: what ``opentelemetry-instrument`` finds and switches on."""

from __future__ import annotations

from .instrumentor import ParallelismInstrumentor

__all__ = ["ParallelismInstrumentor"]

"""Installed without code: what ``opentelemetry-instrument`` finds and switches on."""

from __future__ import annotations

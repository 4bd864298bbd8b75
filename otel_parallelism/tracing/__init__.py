"""Follows turns while they run, by the spans of decorated calls and of other instrumentations."""

from __future__ import annotations

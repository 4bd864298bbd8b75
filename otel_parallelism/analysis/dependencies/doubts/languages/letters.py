"""Puts together the letters of texts that were written in parts."""

from __future__ import annotations


def composed(text: str) -> str:
    """Return *text* with the letters of Korean and Japanese put together; marks that were taken off stay off."""
    if text.isascii():
        return text
    from unicodedata import normalize  # noqa: PLC0415 - a large table, which few programs need

    return normalize("NFC", text)

"""Runs Chromium without a window, for tests and pictures."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from .servers import program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

CHROMIUM: Final = program("chromium", "chromium-browser", "google-chrome")
FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Run Chromium while the context is open."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - where it is not installed, tests are skipped

    options: dict[str, Any] = {"executable_path": CHROMIUM, "args": list(FLAGS)}
    with sync_playwright() as started, started.chromium.launch(**options) as opened:
        yield opened

"""
How a report is shown. The model holds no renderer: the package's ``__init__`` sets `RENDERERS`.

If the methods of `Report` imported the renderers, the model would depend on a higher layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from .report_types import Report

Form: TypeAlias = Literal["text", "html", "json"]

RENDERERS: dict[Form, Callable[[Report], str]] = {}
"""The renderer of each form."""

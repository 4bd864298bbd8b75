"""
Reports as one self-contained HTML file: it loads nothing from a network, a library or a server.

A script in the page draws it from a JSON document in the page. The document is escaped, so that it cannot close its
element. The script sets all names as text nodes, and a content security policy allows that script only.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from .parts import summary
from .parts.encoding import encoded
from .parts.faults import faults_of
from .parts.page_document import page_document
from .parts.wording import relative

if TYPE_CHECKING:
    from otel_parallelism.model import Analysis

    from .parts.page_document import Prompt

_SCRIPTS: Final = ("dom.js", "timeline.js", "turns.js", "detail.js", "page.js")
_MARKER: Final = re.compile(r"\{\{(\w+)\}\}")
_UNSAFE_IN_A_SCRIPT: Final = re.compile("[<>&\u2028\u2029]")


def render_html(analysis: Analysis, *, prompt: Prompt | None = None, base: str = "") -> str:
    """
    Return *analysis* as an HTML page that ends with a newline.

    The page lists the turns, draws each as it ran and as it could have run, and shows the findings with their advice.
    It contains no arguments and no results of calls.

    Args:
        analysis: The reports to show.
        prompt: Returns the text of a system prompt for findings; without it the page offers none.
        base: A folder; names of files in it are shown relative to it.
    """
    faults = faults_of(analysis.reports)
    document = encoded(page_document(analysis, faults, prompt=prompt, base=base)).decode()
    script, style = "".join(_asset(name) for name in _SCRIPTS), _asset("page.css")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src 'sha256-{_digest(script)}'",
            f"style-src 'sha256-{_digest(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    parts = {
        "policy": html.escape(policy),
        "style": style,
        "headline": html.escape(summary.summary_line(analysis)),
        "first_step": html.escape(relative(summary.starting_point(analysis, faults), base.rstrip("/"))),
        "remarks": "".join(f"<p>{html.escape(remark)}</p>" for remark in summary.input_remarks(analysis)),
        "document": _UNSAFE_IN_A_SCRIPT.sub(lambda found: f"\\u{ord(found[0]):04x}", document),
        "script": script,
    }
    return _MARKER.sub(lambda found: parts[found[1]], _asset("page.html"))


def _asset(name: str) -> str:
    return (files("otel_parallelism.reports") / "page" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

"""A web page without a script: headings, paragraphs and tables. It loads nothing."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_CODE: Final = re.compile("`([^`]*)`")
_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid #8884; padding: .3rem .7rem; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; overflow-wrap: anywhere; }
ol > li { margin: .8rem 0; } li p { margin: .1rem 0; overflow-wrap: anywhere; }
.quiet { opacity: .75; } .scroll { overflow-x: auto; }
.sides { display: flex; flex-wrap: wrap; gap: 1.5rem; } .sides > figure { flex: 1 1 28rem; margin: 0; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; } svg { max-width: 100%; height: auto; }
svg .call { fill: #0072b2; } svg .failed { fill: #d55e00; } svg .step { fill: #888; }
"""


def static_page(headline: str, paragraphs: Iterable[str], body: Iterable[str]) -> str:
    """
    Return a page that ends with a newline.

    Args:
        headline: The title and the first heading, as text.
        paragraphs: Paragraphs below it, as text; empty ones are left out.
        body: The rest, as HTML.
    """
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    lead = "".join(f"<p>{html.escape(text)}</p>\n" for text in paragraphs if text)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="generator" content="otel-parallelism">\n'
        f"<title>{html.escape(headline)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{html.escape(headline)}</h1>\n{lead}{''.join(body)}</body>\n</html>\n"
    )


def html_table(columns: Mapping[str, Sequence[str]]) -> str:
    """Return *columns* as an HTML table."""
    heads = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>\n"
        for row in zip(*columns.values(), strict=True)
    )
    return f'<div class="scroll"><table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n'


def html_list(items: Iterable[tuple[str, Iterable[str]]]) -> str:
    """Return a numbered list: each item has a first line, and quieter lines below it."""
    lines = "".join(
        f"<li><p><strong>{_with_code(first)}</strong></p>"
        + "".join(f'<p class="quiet">{_with_code(text)}</p>' for text in others)
        + "</li>\n"
        for first, others in items
    )
    return f"<ol>\n{lines}</ol>\n" if lines else ""


def _with_code(text: str) -> str:
    """Return *text* as HTML, with what stands between backticks as code."""
    return _CODE.sub(r"<code>\1</code>", html.escape(text))


def html_remark(text: str) -> str:
    """Return *text* as a quiet paragraph."""
    return f'<p class="quiet">{html.escape(text)}</p>\n'


def html_heading(text: str) -> str:
    """Return *text* as a heading of a section."""
    return f"<h2>{html.escape(text)}</h2>\n"

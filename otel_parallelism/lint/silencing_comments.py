"""Comments that silence findings: ``# parallelism: ignore[reason]``."""

from __future__ import annotations

import tokenize

from otel_parallelism.patterns import LazyPattern

_SILENCING = LazyPattern(r"#\s*parallelism:\s*ignore(\[[^\]]*\])?")


def silenced_lines(text: str) -> set[int]:
    """
    Return the lines of *text* with a comment that silences findings.

    >>> silenced_lines("x = 1  # parallelism: ignore[one request at a time]" + chr(10) + "y = '# parallelism: ignore'")
    {1}
    """
    if "parallelism:" not in text:
        return set()
    found = set()
    lines = iter([line + "\n" for line in text.split("\n")])
    try:
        for token in tokenize.generate_tokens(lambda: next(lines)):
            if token.type == tokenize.COMMENT and _SILENCING.search(token.string):
                found.add(token.start[0])
    except (tokenize.TokenError, SyntaxError):
        return found  # the parser accepts a few texts that the tokenizer does not
    return found

"""Recognises texts that stand in place of content, such as ``[image]`` or ``3 rows``, and JSON that was cut off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otel_parallelism.patterns import CaselessPattern, LazyPattern

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST = 200
_LONGEST_TOGETHER = 1_000
_THINGS = (
    r"(?:rows?|results?|records?|items?|bytes?|chars?|characters?|documents?|docs?|files?|lines?|match(?:es)?"
    r"|entries|entry|tokens?|hits?|objects?|elements?|pages?|messages?|orders?|chunks?|columns?|values?|words?|users?"
    r"|[kmg]i?b)"
)
_HIDDEN = CaselessPattern(
    # The repr of an object, or a mark in angle brackets.
    r"<[^<>]*\b(?:object|objects|instance|at 0x[0-9a-f]+|generator|coroutine|function|module|bytes|binary|image|audio"
    r"|filtered|redacted|hidden|masked|removed|omitted|truncated|elided|stored|list of|array of|dataframe|tensor"
    r"|not captured|no content|snip(?:ped)?|private|secret|sensitive|pii|base64|blob|stream|response \[\d+\])\b[^<>]*>"
    rf"|<\d[\d,.]* {_THINGS}>"
    r"|<(?:non|not|un)[- ]?seriali[sz]able[^<>]*>|promise \{[^{}]*\}|@@@langfusemedia:[^@]*@@@"
    r"|<(?:[\w.]+ )?(?:0x[0-9a-f]+|\.\.\.)>|<[\w.]+\(?[^<>]*\)? at 0x[0-9a-f]+>|<response \[\d+\]>|<?…>?"
    # A mark in square brackets, braces or parentheses.
    r"|\[(?:[^\[\]\"]*\b)?(?:image|binary|file|audio|video|pdf|picture|photo|screenshot|attachment|object|circular"
    r"|redacted|filtered|omitted|removed|hidden|masked|truncated|elided|stored|blob|base64|bytes|snip(?:ped)?|content"
    rf"|large output|output|non-text|data|\d+ (?:\w+ ){{0,2}}{_THINGS})\b[^\[\]\"]*\]|\[\.\.\.\]|\{{\.\.\.\}}"
    r"|\{\{?(?:redacted|filtered|masked|hidden)\}?\}|\(?(?:redacted|filtered|not captured)\)?",
    re.DOTALL,
)
_SUMMARY = CaselessPattern(
    # How much there was.
    r"(?:(?:found|returned|got|fetched|list of|total:?|read|wrote|loaded|retrieved|query returned|rows|count)[: ]+)?"
    rf"(?:\d[\d,.]*|a|one|two|several|many) (?:\w+ ){{0,2}}{_THINGS}(?: (?:returned|found|matched|affected|in set"
    r"|omitted"
    r"|total|fetched|retrieved|loaded|read|written|stored|saved|selected))?[.!]?"
    # Where it went.
    r"|(?:[^{}\[\]]*\b)?(?:too (?:large|long|big)|(?:stored|saved|written|cached|uploaded|dumped|exported|spilled)"
    r"(?: (?:to|in|at|as|under|on)\b.*)?$|(?:see|in|to) (?:the )?(?:attached )?(?:file|artifact|attachment)\b"
    r"|(?:output|content|result|response|data|value)s? (?:was |is |has been |have been )?"
    r"(?:truncated|omitted|hidden|suppressed|elided|redacted|removed|filtered|not shown|not captured)"
    r"|exceeds? .*(?:limit|size|length)).*"
    r"|(?:[\w ]{0,40}\b)?(?:executed|completed|finished|ran|processed) (?:successfully|ok)[.!]?"
    # Its digest, if this says how it was made: a bare one may be a commit.
    r"|(?:sha-?(?:1|224|256|384|512)|md5|blake2[bs]?)[:=] ?[0-9a-f]{16,}(?:\.\.\.|…)?"
    r"|(?:s3|gs|gcs|abfss?|wasbs?|az|blob|minio|dbfs|hdfs|artifact|mlflow-artifacts|memory|cache|ref)://[^\s]+"
    r"|omitted|hidden|null|none|undefined|nil|n/a|nan",
    re.DOTALL,
)
_BEGINNINGS = frozenset("<[{(rfniavdbp@")
"""How marks, and the names and addresses of media, begin."""

_MASKED = LazyPattern(r"\*{3,}|[•●█▇x×]{5,}|\bX{4,}\b|[•●█]{2,}")
_MEDIA = CaselessPattern(
    r"(?:image|audio|video|font)/[\w.+-]+|application/(?:pdf|zip|octet-stream|x-[\w-]+)|data:[\w/+.-]*;base64,.*"
    r"|(?:image|input_image|image_url|audio|video|blob|binary|image_file)",
    re.DOTALL,
)


def stands_for_content(text: str) -> bool:
    """
    Return whether *text*, a complete value, is a mark in place of content: an object's repr, a mask, an image.

    >>> [stands_for_content(text) for text in ("<User object at 0x7f31>", "[image]", "*****", "3 rainy days")]
    [True, True, True, False]
    >>> stands_for_content("<non-serializable>"), stands_for_content("Promise { <pending> }")
    (True, True)
    >>> stands_for_content("@@@langfuseMedia:type=text/plain|id=7@@@")
    True
    """
    stripped = text.strip()
    if len(stripped) > _LONGEST:
        return stripped.startswith("data:")
    first = stripped[:1]
    begins = first.lower() in _BEGINNINGS or not first.isascii()  # most texts do not
    return (begins and (_HIDDEN.fullmatch(stripped) or _MEDIA.fullmatch(stripped))) or _is_masked(stripped)


def _is_masked(text: str) -> bool:
    """Return whether a part of *text* is masked; nearly all texts have nothing that only looks like it."""
    if text.isascii() and "***" not in text and "xxxxx" not in text and "XXXX" not in text:
        return False
    return _MASKED.search(text) is not None


def summarizes_content(text: str) -> bool:
    """
    Return whether *text*, if it is all that a result says, counts its content or says where it went.

    >>> [summarizes_content(text) for text in ("3 rows", "result too large, stored", "null", "Stored procedures")]
    [True, True, True, False]
    >>> summarizes_content("blob://traces/7")
    True
    >>> summarizes_content("sha256:9f86d081884c7d659a2feaa0c55ad015"), summarizes_content("9f86d081884c7d65")
    (True, False)
    """
    stripped = text.strip()
    return len(stripped) <= _LONGEST and _SUMMARY.fullmatch(stripped)


def is_content(texts: Sequence[str], *, alone: bool) -> bool:
    """
    Return whether no mark or summary among *texts* stands in place of the real content.

    Args:
        texts: The complete values of the recorded content.
        alone: Whether it contains little else, so that a summary in it replaces the content.
    """
    # Most texts begin with no such character, and hide nothing: that is faster to see for all together.
    masked = _is_masked("\n".join([text for text in texts if len(text) <= _LONGEST_TOGETHER]))
    for text in texts:
        if not text:
            continue
        first = text[0].lower()
        unmarked = first not in _BEGINNINGS and first.isascii() and not first.isspace()
        if unmarked and not masked and len(text) <= _LONGEST_TOGETHER:
            found = False
        else:
            found = not text.isspace() and stands_for_content(text)
        if found or (alone and summarizes_content(text)):
            return False
    return True


def is_broken(value: object) -> bool:
    """
    Return whether *value* is JSON that was cut off inside, so that it could not be parsed.

    >>> is_broken('{"rows": [{"id": 7}, {"id'), is_broken("{id}")
    (True, False)
    """
    return type(value) is str and value.lstrip()[:1] == "{" and '"' in value[:_LONGEST]

"""
Turns objects as Node.js prints them (``{ name: 'x', tags: [ 1 ] }``) into JSON.

Node.js cuts off texts of more than 10,000 characters and lists of more than 100 items, and writes how much it left out.
"""

from __future__ import annotations

import json
import re
from typing import Final

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<text>'(?:[^'\\]++|\\.)*+'|"(?:[^"\\]++|\\.)*+"|`(?:[^`\\]++|\\.)*+`) # a text of megabytes needs no memory
    | (?P<rest>\.\.\.\ \d+\ more\ (?:character|item)s?)    # of a text or list that is cut off
    | (?P<joint>\+(?=\s*['"`]))                       # long texts are printed in parts
    | (?P<shown>\[(?:Object|Array|Getter|Function|Circular)[^\]]*\])
    | (?P<mark>[{}\[\],:])
    | (?P<number>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?n?(?![\w$]))
    | (?P<name>[A-Za-z_$][\w$]*)
    """,
    re.VERBOSE | re.DOTALL,
)
_WORDS: Final = {
    "true": "true",
    "false": "false",
    "null": "null",
    "undefined": "null",
    "NaN": "null",
    "Infinity": "null",
}
_CUT: Final = "…"
"""Ends a text or list that is cut off; what reads contents knows this mark."""

_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_COLON = re.compile(r"\s*:")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL)


def json_of(text: str) -> str | None:
    r"""
    Return the JSON of an object as Node.js prints it; None if *text* is something else.

    Nested objects that Node leaves out, ``[Object]``, become null.

    >>> json_of("{ name: 'x,}', kind: 0, tags: [ 'a', undefined, ], links: [Array] }")
    '{"name":"x,}","kind":0,"tags":["a",null],"links":null}'
    >>> json_of("{ name: 'abc'... 9 more characters, kind: 0 }")
    '{"name":"abc\\u2026","kind":0}'
    """
    parts: list[str] = []
    said: list[str] = []
    at, joined = 0, False
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return None
        at, kind, written = match.end(), match.lastgroup, match[0]
        if kind == "joint":
            joined = True
        elif kind == "text" and joined and said:
            said.append(_unescaped(written[1:-1]))
            joined = False
        elif kind == "rest" and said:
            said.append(_CUT)
        elif kind != "space":
            if said:
                parts.append(json.dumps("".join(said)))
            said = [_unescaped(written[1:-1])] if kind == "text" else []
            joined = False
            if written in {"}", "]"} and parts and parts[-1] == ",":
                parts.pop()
            if kind != "text":
                parts.append(_other(kind, written, text, at))
    return "".join(parts)


def _other(kind: str | None, written: str, text: str, at: int) -> str:
    """Return the JSON of a token that is no text and ends at *at*."""
    if kind == "name":
        return json.dumps(written) if _COLON.match(text, at) else _WORDS.get(written, "null")
    if kind == "shown":
        return "null"
    if kind == "rest":
        return json.dumps(_CUT)
    return written.rstrip("n") if kind == "number" else written


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda m: chr(int(m[1] or m[2], 16)) if m[1] or m[2] else _ESCAPES.get(m[3], m[3]), text)

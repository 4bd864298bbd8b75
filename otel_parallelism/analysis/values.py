"""The values inside arguments, results and messages, made comparable: numbers as numbers, words without their case."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from .outcomes import Outcome, outcome

if TYPE_CHECKING:
    from otel_parallelism.model import Content

_PIECES = re.compile(r"[^\s,;|&()\[\]{}\"'<>=+*!?]+")
_PARTS = re.compile(r"[^\W_]+(?:\.\d+)?")
_WORDS = re.compile(r"\w+")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])")
_AMOUNT = re.compile(r"[$€£¥]\s?(\d[\d,]*(?:\.\d+)?)|(\d[\d,]*(?:\.\d+)?)\s?[$€£¥%]")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{1,4})?(?:[t ]\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]m)?"
    rf"|(?:\d{{1,2}}(?:st|nd|rd|th)? )?{_MONTH}(?: \d{{1,2}}(?:st|nd|rd|th)?)?(?:,? \d{{4}})?",
    re.IGNORECASE,
)
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[T ]\d")
_CODE = re.compile(r"[A-Z0-9]{3,}")
_LONGEST_WHOLE = 200
_DEEPEST = 12
_ROUNDINGS = (2, 3, 4)
_TELLING_DIGITS = 5
_MOST_BITS = 4096
_TELLING_LENGTH = 4
_TELLING_PART = 6
# Values that many results hold for no reason to do with one another.
_COMMON = frozenset(
    """
    true false none null yes no ok okay success successful succeeded failed failure error errors active inactive
    pending completed complete done open closed enabled disabled unknown other default normal standard basic
    high medium low small large all any new old first last next previous asc desc ascending descending
    name names id ids type types status state value values data result results message messages text title
    description item items list total count page date time user users english usd eur metric imperial
    economy business male female today tomorrow monday tuesday wednesday thursday friday saturday sunday
    """.split()  # noqa: SIM905 - a list of quoted words would be three times as long
)


class Values(msgspec.Struct):
    """
    What one piece of content holds.

    ``tokens`` maps each comparable value to whether it is telling: a match of an identifier or of a long text is
    no chance, that of a small number or a common word may be. ``whole_leaves`` are the tokens that were a value of
    their own, not a part of a longer text. ``whole`` is false where something could not be looked at. ``outcome`` is
    what the whole, taken as a result, says about its call.
    """

    tokens: dict[str, bool]
    whole_leaves: set[str]
    whole: bool
    outcome: Outcome = ""


def read(content: Content | None, max_leaves: int, max_bytes: int) -> Values | None:
    """
    Take *content* apart; None where there is none.

    Args:
        content: Parsed first where it has a parser; a parser that fails makes it unreadable, not whole.
        max_leaves: Values looked at; the rest makes it not whole.
        max_bytes: Strings longer than this are not looked into, likewise.
    """
    if content is None:
        return None
    values = Values({}, set(), content.whole)
    value = content.value
    if content.parse is not None:
        try:
            value = content.parse(value)
        except Exception:  # noqa: BLE001 - a parser of a dialect met what it never saw; that content is unknown
            values.whole = False
            return values
    try:
        values.outcome = outcome(value)
        for leaf, is_key in _leaves(value, values, max_leaves):
            _add(values, leaf, is_key=is_key, max_bytes=max_bytes)
    except Exception:  # noqa: BLE001 - a user's own container may fail in any way, or change while it is read
        values.whole = False
    return values


def _leaves(value: Any, values: Values, budget: int) -> Iterator[tuple[Any, bool]]:
    """At most *budget* values with whether each is a key; containers count too, for they may hold themselves."""
    stack: list[tuple[Any, bool, int]] = [(value, False, 0)]
    while stack:
        item, is_key, depth = stack.pop()
        budget -= 1
        if budget < 0:
            values.whole = False
            return
        if item is None or isinstance(item, (str, bool, int, float)):
            yield item, is_key
        elif depth >= _DEEPEST:
            values.whole = False
        elif isinstance(item, Mapping):
            # One more than may be looked at is enough to find out that there are too many.
            for key, inner in itertools.islice(item.items(), budget + 1):
                stack.append((inner, False, depth + 1))
                stack.append((key, True, depth + 1))
        elif isinstance(item, (list, tuple, set, frozenset)):
            stack += [(inner, False, depth + 1) for inner in itertools.islice(item, budget + 1)]
        else:
            fields = _fields(item)
            if fields is None:
                values.whole = False
            else:
                stack += [(inner, False, depth + 1) for inner in fields]


def _fields(item: Any) -> list[Any] | None:
    """The values of a plain object's fields, without running any of its code; None where it shows none."""
    if isinstance(item, (bytes, bytearray, memoryview, type)) or callable(item):
        return None
    if isinstance(item, msgspec.Struct):
        return [getattr(item, name) for name in item.__struct_fields__]
    try:
        own = object.__getattribute__(item, "__dict__")
    except AttributeError:
        return None
    return [inner for name, inner in own.items() if not name.startswith("__")] if isinstance(own, dict) else None


def _add(values: Values, leaf: Any, *, is_key: bool, max_bytes: int) -> None:
    if leaf is None:
        return
    if isinstance(leaf, bool):
        # Two of a kind: a match says next to nothing, yet a flag handed on looks just like this.
        _put(values, "true" if leaf else "false", False, leaf=True)
        return
    if isinstance(leaf, (int, float)):
        _put(values, *_number(leaf), leaf=True)
        _rounded(values, leaf)
        return
    text = leaf
    if len(text) > max_bytes:
        values.whole = False
        return
    if len(text) <= _LONGEST_WHOLE:
        token, telling = _text(text)
        if token:
            _put(values, token, telling and (not is_key or _is_identifier(text)), leaf=True)
    pieces = _PIECES.findall(text)
    if len(pieces) > 1:
        for raw in pieces:
            piece = raw.strip(".:-/\\")
            token, telling = _text(piece)
            if token:
                _put(values, token, telling and _is_identifier(piece), leaf=False)
                if not piece.isalnum():
                    _parts(values, piece)
    elif not text.isalnum():
        _parts(values, text)
    if "," in text:
        for grouped in _GROUPED.findall(text):
            _put(values, *_number(float(grouped.replace(",", ""))), leaf=False)


def _parts(values: Values, piece: str) -> None:
    """Add the numbers and the made words that *piece* is composed of: ``order:48213``, ``/orders/48213``, ``12-7/3``."""
    moment = _MOMENT.match(piece)
    if moment is not None:
        _put(values, _text(moment[1])[0], False, leaf=False)
        return
    if _DATE.fullmatch(piece):
        return
    parts = _PARTS.findall(piece)
    if len(parts) == 1 and parts[0] == piece:
        return
    for part in parts:
        if _NUMBER.fullmatch(part):
            _put(values, *_text(part), leaf=False)
        elif len(part) >= _TELLING_PART and _is_identifier(part):
            _put(values, part.casefold(), True, leaf=False)


def _rounded(values: Values, number: float) -> None:
    """Add *number* as it is often written again: to a few decimals."""
    if isinstance(number, float) and math.isfinite(number):
        for decimals in _ROUNDINGS:
            shorter = round(number, decimals)
            if shorter != number:
                _put(values, *_number(shorter), leaf=False)


def _put(values: Values, token: str, telling: bool, *, leaf: bool) -> None:  # noqa: FBT001 - comes from a pair
    if telling or token not in values.tokens:
        values.tokens[token] = telling
    if leaf:
        values.whole_leaves.add(token)


def _number(number: float) -> tuple[str, bool]:
    """The comparable form of a number: whole ones exactly (ids), others to ten digits; 3.0 is 3."""
    if isinstance(number, float) and math.isfinite(number) and number.is_integer():
        number = int(number)
    if isinstance(number, int):
        # Decimal digits of a huge number cost quadratic time, and Python refuses them.
        token = str(int(number)) if number.bit_length() <= _MOST_BITS else hex(number)
    else:
        token = f"{number:.10g}"
    digits = token.partition("e")[0].replace(".", "").replace("-", "").strip("0")
    return token, len(digits) >= _TELLING_DIGITS


def _text(text: str) -> tuple[str, bool]:
    """The comparable form of a string, and whether a match of it is telling."""
    stripped = text.strip()
    if _NUMBER.fullmatch(stripped):
        try:
            return _number(int(stripped) if stripped.lstrip("+-").isdecimal() else float(stripped))
        except ValueError:
            return stripped, True
    amount = _AMOUNT.fullmatch(stripped)
    if amount is not None:
        return _number(float((amount[1] or amount[2]).replace(",", "")))
    token = " ".join(_WORDS.findall(stripped.casefold()))
    if not token:
        return "", False
    if _DATE.fullmatch(stripped):
        return token, False
    if _CODE.fullmatch(stripped) and not stripped.isdigit():
        return token, token not in _COMMON
    if token in _COMMON or len(token) < _TELLING_LENGTH:
        return token, False
    return token, " " not in token or not _COMMON.issuperset(token.split(" "))


def _is_identifier(text: str) -> bool:
    """Whether a word looks made, not spoken: digits among letters, an address, a path, a code in capitals."""
    if _DATE.fullmatch(text):
        return False
    has_digit = any(character.isdigit() for character in text)
    has_letter = any(character.isalpha() for character in text)
    if has_digit:
        return len(text) >= _TELLING_LENGTH or (has_letter and len(text) >= 2)  # noqa: PLR2004 - "a1" at the least
    return (
        bool(_CODE.fullmatch(text)) or any(mark in text for mark in "_@/:") or ("." in text and not text.endswith("."))
    )


def words(values: Values) -> set[str]:
    """Every single word in *values*, for asking whether a text only says again what these said."""
    return {word for token in values.tokens for word in token.split(" ")}

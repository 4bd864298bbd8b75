"""Texts and numbers in a form that can be compared: numbers as numbers, words without case, composed ones apart."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

Token: TypeAlias = tuple[str, bool]
"""A comparable form, and whether a match of it is telling: that of a small number or a common word may be chance."""

PIECES = re.compile(r"[^\s,;|&()\[\]{}\"'<>=+*!?]+")
_PARTS = re.compile(r"[^\W_]+(?:\.\d+)?")
_WORDS = re.compile(r"\w+")
_PLAIN = re.compile(r"[^\W_]+")
_FOLDED = bytes(ord(chr(code).lower()) if chr(code).isalnum() else 32 for code in range(128)) + bytes(128)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
# In texts 12E5 is a room or a code rather than a number.
_WRITTEN = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)")
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])")
_COMMA = re.compile(r",\d{3}(?!\d)")
_AMOUNT = re.compile(r"[$€£¥]\s?(\d[\d,]*(?:\.\d+)?)|(\d[\d,]*(?:\.\d+)?)\s?[$€£¥%]")
_BEGINNINGS = "+-.$€£¥"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{1,4})?(?:[t ]\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]m)?"
    rf"|(?:\d{{1,2}}(?:st|nd|rd|th)? )?{_MONTH}(?: \d{{1,2}}(?:st|nd|rd|th)?)?(?:,? \d{{4}})?",
    re.IGNORECASE,
)
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})?")
_TIME = re.compile(r"(\d{1,2}:\d{2}):\d{2}(?:\.\d+)?")
_CODE = re.compile(r"[A-Z0-9]{3,}")
_ONE = re.compile(r"(?:^|_)(?:id|code|key|token|number|uuid)$|[a-z](?:Id|ID|Code|Key|Token|Number|Uuid|UUID)$")
_ROUNDINGS = (2, 3, 4)
_TELLING_DIGITS = 5
_TELLING_LENGTH = 4
_TELLING_PART = 6
_MOST_BITS = 4096
# Ten digits would change the whole part of what is larger.
_LARGE = 1e9
# Values that many results hold for no reason to do with one another.
COMMON = frozenset(
    """
    true false none null yes no ok okay success successful succeeded failed failure error errors active inactive
    pending completed complete done open closed enabled disabled unknown other default normal standard basic
    high medium low small large all any new old first last next previous asc desc ascending descending
    name names id ids type types status state value values data result results message messages text title
    description item items list total count page date time user users english usd eur metric imperial
    economy business male female today tomorrow monday tuesday wednesday thursday friday saturday sunday
    """.split()  # noqa: SIM905 - a list of quoted words would be three times as long
)


def of_number(number: float) -> Token:
    """
    Return a number's form: whole ones exactly (ids), others to ten digits; five digits or more are telling.

    >>> of_number(3.0), of_number(1249.5), of_number(20000)
    (('3', False), ('1249.5', True), ('20000', False))
    """
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, int):
        # Decimal digits of a huge number cost quadratic time, and Python refuses them.
        form = str(int(number)) if number.bit_length() <= _MOST_BITS else hex(number)
    else:
        form = f"{number:.10g}" if abs(number) < _LARGE else f"{number:.16g}"
    digits = form.partition("e")[0].replace(".", "").replace("-", "").strip("0")
    return form, len(digits) >= _TELLING_DIGITS


def number_of(form: str) -> float | None:
    """Return the number whose form this is, if it is one's, and a finite one's."""
    if form[-1:].isdecimal() and _NUMBER.fullmatch(form):
        if form.lstrip("+-").isdecimal():
            # A float would not keep the last digits of a long id.
            return int(form)
        number = float(form)
        return number if math.isfinite(number) else None
    return None


def shortened(number: float) -> Iterator[Token]:
    """Yield the forms in which a fraction is often written again: to a few decimals."""
    if isinstance(number, float) and math.isfinite(number) and not number.is_integer():
        for decimals in _ROUNDINGS:
            shorter = round(number, decimals)
            if shorter != number:
                yield of_number(shorter)


def of_flag(flag: bool) -> Token:  # noqa: FBT001 - the value itself
    """Return a boolean's form: of two of a kind a match says next to nothing, yet a flag handed on looks like this."""
    return ("true" if flag else "false"), False


def of_text(text: str) -> Token:
    """
    Return the form of a text taken whole; an empty one where it holds no word.

    >>> of_text("Chelsea  Hotel, Toronto"), of_text("$1,250.50"), of_text("2024-05-21"), of_text("open")
    (('chelsea hotel toronto', True), ('1250.5', True), ('2024 05 21', False), ('open', False))
    """
    stripped = text.strip()
    number = _as_number(stripped)
    if number is not None:
        return number
    form = " ".join(_WORDS.findall(stripped.casefold()))
    if len(form) < _TELLING_LENGTH and not _CODE.fullmatch(stripped):
        return form, False
    return form, form not in COMMON and not _DATE.fullmatch(stripped) and not _all_common(form)


def _as_number(stripped: str) -> Token | None:
    if not stripped or not (stripped[0].isdecimal() or stripped[0] in _BEGINNINGS):
        return None
    if _WRITTEN.fullmatch(stripped):
        try:
            return of_number(int(stripped) if stripped.lstrip("+-").isdecimal() else float(stripped))
        except ValueError:
            return stripped, True
    amount = _AMOUNT.fullmatch(stripped)
    return None if amount is None else of_number(float((amount[1] or amount[2]).replace(",", "")))


def _all_common(form: str) -> bool:
    return " " in form and COMMON.issuperset(form.split(" "))


def inside(text: str, wanted: AbstractSet[str] | None = None) -> Iterator[Token]:
    """
    Yield the forms of what *text* is composed of: its single words, and the numbers and identifiers within those.

    Only made words are telling, for any text may hold a spoken one. Where only some words are *wanted* in forms, what
    holds none of them may be passed over.

    >>> dict(inside("facility::48213, total 12-7"))["48213"]
    True
    """
    pieces = PIECES.findall(text)
    if len(pieces) > 1:
        for raw in pieces:
            if wanted is not None and _is_idle(raw, wanted):
                continue
            piece = raw.strip(".:-/\\")
            form, telling = of_text(piece)
            if form:
                yield form, telling and is_identifier(piece)
                if not piece.isalnum():
                    yield from _parts(piece)
    elif not text.isalnum():
        yield from _parts(text)
    if "," in text:
        for grouped in _GROUPED.findall(text):
            yield of_number(float(grouped.replace(",", "")))


def words_in(text: str) -> list[str]:
    """Return the words of *text*, case folded; underscores part them."""
    # A result is looked at as a whole, so this is where a turn's end spends its time; bytes are translated fastest.
    return text.encode().translate(_FOLDED).decode().split() if text.isascii() else _PLAIN.findall(text.casefold())


def _is_idle(piece: str, wanted: AbstractSet[str]) -> bool:
    words = words_in(piece)
    return wanted.isdisjoint(words) and not any(word[0] == "0" for word in words)


def _parts(piece: str) -> Iterator[Token]:
    """Yield what one word is composed of: ``order:48213``, ``/orders/48213``; of a moment its date and its time."""
    moment = _MOMENT.match(piece) or _TIME.match(piece) if piece[:1].isdecimal() else None
    if moment is not None:
        yield from (of_text(part) for part in moment.groups() if part)
    elif not _DATE.fullmatch(piece):
        parts = _PARTS.findall(piece)
        if parts != [piece]:
            for part in parts:
                if _NUMBER.fullmatch(part):
                    yield of_text(part)
                elif len(part) >= _TELLING_PART and is_identifier(part):
                    yield part.casefold(), True


def is_grouped(text: str) -> bool:
    """Whether some number in *text* may have its digits grouped by commas."""
    return "," in text and _COMMA.search(text) is not None


def is_identifier(text: str) -> bool:
    """Whether a word looks made, not spoken: digits among letters, an address, a path, a code in capitals."""
    if _DATE.fullmatch(text):
        return False
    if any(character.isdigit() for character in text):
        has_letter = any(character.isalpha() for character in text)
        return len(text) >= _TELLING_LENGTH or (has_letter and len(text) >= 2)  # noqa: PLR2004 - "a1" at the least
    return (
        bool(_CODE.fullmatch(text)) or any(mark in text for mark in "_@/:") or ("." in text and not text.endswith("."))
    )


def is_made(key: str) -> bool:
    """Whether a key carries a value, a number or a code, and is not just a field's name, which may hold underscores."""
    return is_identifier(key) and (not key.replace("_", "").isalpha() or key.isupper())


def is_name_of_one(name: str) -> bool:
    """
    Whether what a field of this name holds stands for one certain thing, however short it is.

    >>> is_name_of_one("room_id"), is_name_of_one("orderNumber"), is_name_of_one("paid")
    (True, True, False)
    """
    return _ONE.search(name) is not None

"""
Converts texts and numbers to comparable tokens, and finds the forms that a value may be derived from.

Numbers compare as numbers, words without case, and compound values by their parts. A derived form proves no
dependence: programs and models put a listed file's name behind a path, reorder the figures of a date, or put a number
into a code. But the argument is then no longer known to be independent of the result.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, TypeAlias

from otel_parallelism.long_numbers import MAX_DIGITS
from otel_parallelism.pace import paced, pause
from otel_parallelism.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

Token: TypeAlias = tuple[str, bool]
"""A comparable form, and whether a match of it is distinctive; a match of a small number or a common word is not."""

_SENTENCE_END = LazyPattern(r"[.!?;](?=\s|$)|\n+")
_PIECES = LazyPattern(r"[^\s,;|&()\[\]{}\"'<>=+*!?]+")
_AT_ONCE = 20_000
_PARTS = LazyPattern(r"[^\W_]+(?:\.\d+)?")
_WORDS = LazyPattern(r"\w+")
_PLAIN = LazyPattern(r"[^\W_]+")
# Two Han characters tell as much as a word, and so do three letters of Katakana.
_PACKED = LazyPattern(r"(?=([\u3400-\u9fff]{2}|[\u30a1-\u30fc]{3}))")
_FOLDED = bytes(ord(chr(code).lower()) if chr(code).isalnum() else 32 for code in range(128)) + bytes(128)
_NUMBER = LazyPattern(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
# Without an exponent: in a text, 12E5 is more often a room or a code than a number.
_WRITTEN = LazyPattern(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)")
_GROUPED = LazyPattern(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])")
_COMMA = LazyPattern(r",\d{3}(?!\d)")
_AMOUNT = LazyPattern(r"[$€£¥]\s?(\d[\d,]*(?:\.\d+)?)|(\d[\d,]*(?:\.\d+)?)\s?[$€£¥%]")
_INNER_NUMBER = LazyPattern(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,9})?(?![\w])")
_DIGIT = LazyPattern(r"\d")
_MAX_SEARCHED = 10_000
_MAX_NUMBERS = 64
_BEGINNINGS = "+-.$€£¥"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATE = LazyPattern(
    r"\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{1,4})?(?:[t ]\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]m)?"
    rf"|(?:\d{{1,2}}(?:st|nd|rd|th)? )?{_MONTH}(?: \d{{1,2}}(?:st|nd|rd|th)?)?(?:,? \d{{4}})?",
    re.IGNORECASE,
)
_MOMENT = LazyPattern(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})?")
_TIME = LazyPattern(r"(\d{1,2}:\d{2}):\d{2}(?:\.\d+)?")
_CODE = LazyPattern(r"[A-Z0-9]{3,}")
_ONE = LazyPattern(r"(?:^|_)(?:id|code|key|token|number|uuid)$|[a-z](?:Id|ID|Code|Key|Token|Number|Uuid|UUID)$")
_ROUNDINGS = (2, 3, 4)
_DISTINCTIVE_DIGITS = 5
_DISTINCTIVE_LENGTH = 4
_DISTINCTIVE_PART = 6
_MAX_BITS = 4096
# Rounding a larger number to ten digits would change its integer part.
_LARGE = 1e9
# Values that many unrelated results contain.
COMMON_WORDS = frozenset(
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
    Return the token of a number: integers exactly, others to ten digits. Five significant digits are distinctive.

    >>> of_number(3.0), of_number(1249.5), of_number(20000)
    (('3', False), ('1249.5', True), ('20000', False))
    """
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, int):
        # Converting a huge number to decimal takes quadratic time, and Python refuses it.
        form = str(int(number)) if number.bit_length() <= _MAX_BITS else hex(number)
    else:
        form = f"{number:.10g}" if abs(number) < _LARGE else f"{number:.16g}"
    digits = form.partition("e")[0].replace(".", "").replace("-", "").strip("0")
    return form, len(digits) >= _DISTINCTIVE_DIGITS


def number_of(form: str) -> float | None:
    """Return the number whose form this is; None if it is no number, not finite or very long."""
    if form[-1:].isdecimal() and _NUMBER.fullmatch(form):
        if form.lstrip("+-").isdecimal():
            if len(form) > MAX_DIGITS:
                return None
            # A float would lose the last digits of a long id.
            return int(form)
        number = float(form)
        return number if math.isfinite(number) else None
    return None


def numbers_in(text: str) -> list[float]:
    """
    Return the first numbers in *text*.

    >>> numbers_in("about 3 to 4.5 km")
    [3, 4.5]
    """
    if text.isalpha() or _DIGIT.search(text) is None:
        return []
    found = _INNER_NUMBER.findall(text[:_MAX_SEARCHED])[:_MAX_NUMBERS]
    return [float(digits) if "." in digits else int(digits) for digits in found]


def shortened(number: float) -> Iterator[Token]:
    """Yield the tokens of a fraction rounded to a few decimals, as it is often written."""
    if isinstance(number, float) and math.isfinite(number) and not number.is_integer():
        for decimals in _ROUNDINGS:
            shorter = round(number, decimals)
            if shorter != number:
                yield of_number(shorter)


def of_flag(flag: bool) -> Token:  # noqa: FBT001 - the value itself
    """Return the token of a boolean, which is never distinctive."""
    return ("true" if flag else "false"), False


def of_text(text: str) -> Token:
    """
    Return the token of a complete text; its form is empty if the text contains no word.

    >>> of_text("Chelsea  Hotel, Toronto"), of_text("$1,250.50"), of_text("2024-05-21"), of_text("open")
    (('chelsea hotel toronto', True), ('1250.5', True), ('2024 05 21', False), ('open', False))
    """
    stripped = text.strip()
    number = _as_number(stripped)
    if number is not None:
        return number
    form = " ".join(_WORDS.findall(stripped.casefold()))
    if len(form) < _DISTINCTIVE_LENGTH and not _CODE.fullmatch(stripped):
        return form, False
    return form, form not in COMMON_WORDS and not _DATE.fullmatch(stripped) and not _all_common(form)


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
    return " " in form and COMMON_WORDS.issuperset(form.split(" "))


def tokens_inside(text: str, wanted: AbstractSet[str] | None = None) -> Iterator[Token]:
    """
    Yield the tokens of the words of *text*, and of the numbers and identifiers inside these words.

    Only identifiers are distinctive, because any text may contain an ordinary word. If *wanted* is given, words that
    contain none of it may be skipped.

    >>> dict(tokens_inside("facility::48213, total 12-7"))["48213"]
    True
    """
    pieces = pieces_of(text)
    if len(pieces) > 1:
        for raw in paced(pieces):
            if wanted is not None and _is_unwanted(raw, wanted):
                continue
            piece = raw.strip(".:-/\\")
            form, distinctive = of_text(piece)
            if form:
                yield form, distinctive and is_identifier(piece)
                if not piece.isalnum():
                    yield from _parts_of_word(piece)
    elif not text.isalnum():
        yield from _parts_of_word(text)
    if "," in text:
        for grouped in _GROUPED.findall(text):
            yield of_number(float(grouped.replace(",", "")))


def pieces_of(text: str) -> list[str]:
    """
    Return the parts of *text* between spaces and punctuation, with pauses if it is long.

    >>> pieces_of("one, two (x-3)")
    ['one', 'two', 'x-3']
    """
    if len(text) <= _AT_ONCE:
        return _PIECES.findall(text)
    found: list[str] = []
    start = 0
    while start < len(text):
        space = text.find(" ", start + _AT_ONCE)
        end = len(text) if space < 0 else space
        found += _PIECES.findall(text[start:end])
        start = end
        pause()
    return found


def words_in(text: str) -> list[str]:
    """Return the words of *text*, case folded and split at underscores."""
    # Every result passes through here, so most time at a turn's end is spent here. Translating bytes is fastest.
    return text.encode().translate(_FOLDED).decode().split() if text.isascii() else _PLAIN.findall(text.casefold())


def sentences_in(text: str) -> list[str]:
    """
    Return the sentences and lines of *text*.

    >>> sentences_in("Is 2.5 enough? Then go.")
    ['Is 2.5 enough', ' Then go', '']
    """
    return _SENTENCE_END.split(text)


def letter_groups(text: str) -> list[str]:
    """
    Return the groups of neighbouring letters in *text* that tell as much as a word, in scripts without spaces.

    >>> letter_groups("血糖升高 lamp"), letter_groups("トヨタは")
    (['血糖', '糖升', '升高'], ['トヨタ'])
    """
    return [] if text.isascii() else _PACKED.findall(text)


def _is_unwanted(piece: str, wanted: AbstractSet[str]) -> bool:
    words = words_in(piece)
    return wanted.isdisjoint(words) and not any(word[0] == "0" for word in words)


def _parts_of_word(piece: str) -> Iterator[Token]:
    """Yield the parts of one word such as ``order:48213`` or ``/orders/48213``, or the date and time of a timestamp."""
    moment = _MOMENT.match(piece) or _TIME.match(piece) if piece[:1].isdecimal() else None
    if moment is not None:
        yield from (of_text(part) for part in moment.groups() if part)
    elif not _DATE.fullmatch(piece):
        parts = _PARTS.findall(piece)
        if parts != [piece]:
            for part in parts:
                if _NUMBER.fullmatch(part):
                    yield of_text(part)
                elif len(part) >= _DISTINCTIVE_PART and is_identifier(part):
                    yield part.casefold(), True


def is_grouped(text: str) -> bool:
    """Return whether *text* may contain a number whose digits are grouped by commas."""
    return "," in text and _COMMA.search(text) is not None


def is_identifier(text: str) -> bool:
    """Return whether a word looks like an identifier: letters with digits, an address, a path, a code in capitals."""
    if _DATE.fullmatch(text):
        return False
    if any(map(str.isdigit, text)):
        has_letter = any(map(str.isalpha, text))
        return len(text) >= _DISTINCTIVE_LENGTH or (has_letter and len(text) >= 2)  # noqa: PLR2004 - at least "a1"
    return (
        bool(_CODE.fullmatch(text)) or any(mark in text for mark in "_@/:") or ("." in text and not text.endswith("."))
    )


def is_value_key(key: str) -> bool:
    """Return whether a key is a value, such as a number or a code, and not the name of a field."""
    return is_identifier(key) and (not key.replace("_", "").isalpha() or key.isupper())


def is_identifying_name(name: str) -> bool:
    """
    Return whether a field of this name identifies one thing, so that even a short value is distinctive.

    >>> is_identifying_name("room_id"), is_identifying_name("orderNumber"), is_identifying_name("paid")
    (True, True, False)
    """
    return _ONE.search(name) is not None

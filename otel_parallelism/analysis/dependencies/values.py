"""
The values inside arguments, results and messages, taken apart within a budget and made comparable.

Results are long and arguments short, so a result is searched only for what some argument holds: a text none of whose
words stands in any argument is passed over after one look.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from . import tokens
from .derived import derived
from .leaves import Leaves
from .outcomes import Outcome, outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from otel_parallelism.model import Content

# Begins with the character itself, which the search then leaps to.
_PADDED = re.compile(r"0(?<![^\W_]0)(?=\d{4})0*(\d+)")
_MOMENT = re.compile(r"(\d-\d\d)T(?=\d\d:)")
_LONGEST_WHOLE = 200
_SMALL = 4
_GROUPED = ("1,000",)


class Values(msgspec.Struct):
    """
    What one piece of content holds.

    ``tokens`` maps each comparable value to whether it is telling: a match of an identifier or of a long text is
    no chance, that of a small number or a common word may be. ``whole_leaves`` are the tokens that were a value of
    their own, not a part of a longer text. ``named`` maps a field's name with its value to whether the two are
    telling: any telling value is, and any at all under a name like ``room_id``. ``derived`` maps forms of what a value
    may have been made from (of a result's, its paths' and addresses' only) to forms that say more. ``whole`` is false
    where something
    could not be looked at. ``outcome`` is what the whole, taken as a result, says about its call.
    """

    tokens: dict[str, bool]
    whole_leaves: set[str]
    whole: bool
    outcome: Outcome = ""
    named: dict[tuple[str, str], bool] = msgspec.field(default_factory=dict)
    derived: dict[str, str] = msgspec.field(default_factory=dict)


class Wanted:
    """
    What is looked for.

    ``tokens`` are those of all arguments and the single words they consist of, ``words`` the latter alone;
    ``whole_parts`` the whole parts of the numbers among them; ``figures`` the words of each that consists of several
    short numbers, as dates do and fractions, and the fraction itself.
    """

    __slots__ = ("figures", "has_dates", "named", "names", "tokens", "whole_parts", "words")

    def __init__(self, arguments: Iterable[Values | None]) -> None:
        arguments = tuple(arguments)
        self.named: frozenset[tuple[str, str]] = frozenset(
            pair for values in arguments if values is not None for pair in values.named
        )
        self.names: frozenset[str] = frozenset(name for name, _ in self.named)
        found = {token for values in arguments if values is not None for token in (*values.tokens, *values.derived)}
        self.words: frozenset[str] = frozenset(
            word for token in found for word in ((token,) if token.isalnum() else tokens.words_in(token))
        )
        self.tokens: frozenset[str] = frozenset(found | self.words)
        numbers = [number for token in found if (number := tokens.number_of(token)) is not None]
        # Written with fewer decimals a number may reach the next whole one.
        self.whole_parts: frozenset[int] = frozenset(whole + step for whole in map(int, numbers) for step in (-1, 0, 1))
        some = ((frozenset(tokens.words_in(token)), token) for token in found if not token.isalnum())
        self.figures: list[tuple[frozenset[str], str]] = [
            (figures, token.lstrip("-") if "." in token else "")
            for figures, token in some
            if figures and all(map(_is_small, figures))
        ]
        self.has_dates: bool = any(not fraction and len(figures) > 1 for figures, fraction in self.figures)

    def is_figure_in(self, text: str, found: AbstractSet[str]) -> bool:
        """Whether a date or a fraction may be in *text*, of which these words were *found*."""
        return any(found >= figures and fraction in text for figures, fraction in self.figures)


def _is_small(word: str) -> bool:
    return word.isdecimal() and len(word) <= _SMALL


def read(
    content: Content | None,
    max_leaves: int,
    max_bytes: int,
    wanted: Wanted | None = None,
    *,
    arguments: bool = False,
    known: dict[str | float, Values] | None = None,
) -> Values | None:
    """
    Take *content* apart; None where there is none.

    Args:
        content: Parsed first where it has a parser; a parser that fails makes it unreadable, not whole.
        max_leaves: Values looked at; the rest makes it not whole.
        max_bytes: Strings longer than this are not looked into, likewise.
        wanted: Look for these only; everything without it.
        arguments: Whether these are a call's arguments: the keys on top are then the names of its parameters.
        known: What texts and numbers hold, where nothing is *wanted*: calls are often given the same ones.
    """
    if content is None:
        return None
    values = Values({}, set(), content.whole, named={})
    value = content.value
    if content.parse is not None:
        try:
            value = content.parse(value)
        except Exception:  # noqa: BLE001 - a parser of a dialect met what it never saw; that content is unknown
            values.whole = False
            return values
    try:
        if not arguments:
            values.outcome = outcome(value)
        leaves = Leaves(None if wanted is None else wanted.names)
        if not leaves.take(value, max_leaves):
            values.whole = False
        if arguments:
            names = value if isinstance(value, Mapping) else ()
            leaves.keys = {key for key in leaves.keys if key not in names and tokens.is_made(key)}
        _read(values, leaves, max_bytes, wanted, {} if known is None else known)
    except Exception:  # noqa: BLE001 - a user's own container may fail in any way, or change while it is read
        values.whole = False
    return values


def _read(
    values: Values, leaves: Leaves, max_bytes: int, wanted: Wanted | None, known: dict[str | float, Values]
) -> None:
    _named(values, leaves.named, wanted)
    for flag in leaves.flags:
        _put(values, tokens.of_flag(flag), wanted, leaf=True)
    texts = leaves.texts
    if texts and max(map(len, texts)) > max_bytes:
        values.whole = False
        texts = [text for text in texts if len(text) <= max_bytes]
    if wanted is not None:
        _search(values, leaves, texts, wanted)
        return
    for number in leaves.numbers:
        _again(values, number, known)
    for text in texts:
        _again(values, text, known)
    for key in leaves.keys:
        _text(values, key, None, is_key=True)


def _search(values: Values, leaves: Leaves, texts: Sequence[str], wanted: Wanted) -> None:
    """Take only what is *wanted* of the numbers and keys of *leaves* and of *texts*."""
    _numbers(values, leaves.numbers, wanted)
    if _is_settled(values, (*texts, *leaves.keys), wanted):
        return
    looked_at = len(texts) + len(leaves.keys) == 1
    for is_key, some in ((False, texts), (True, leaves.keys)):
        for text in some:
            if looked_at or _found(text, wanted):
                _text(values, text, wanted, is_key=is_key)


def _again(values: Values, item: str | float, known: dict[str | float, Values]) -> None:
    """Take all that *item* holds, from what is *known* if it was seen before."""
    held = known.get(item)
    if held is None:
        held = known[item] = Values({}, set(), whole=True)
        if isinstance(item, str):
            _text(held, item, None, is_key=False)
        else:
            _numbers(held, (item,), None)
    mine = values.tokens
    for token, telling in held.tokens.items():
        if telling or token not in mine:
            mine[token] = telling
    values.whole_leaves |= held.whole_leaves
    if held.derived:
        values.derived |= held.derived


def _named(values: Values, named: Iterable[tuple[str, str | float]], wanted: Wanted | None) -> None:
    for name, value in named:
        if isinstance(value, str):
            if len(value) > _LONGEST_WHOLE:
                continue
            token, telling = tokens.of_text(value)
        else:
            token, telling = tokens.of_number(value)
        if token and (wanted is None or (name, token) in wanted.named):
            values.named[name, token] = telling or tokens.is_name_of_one(name)


def _numbers(values: Values, numbers: Iterable[float], wanted: Wanted | None) -> None:
    for number in numbers:
        if wanted is None or not math.isfinite(number) or int(number) in wanted.whole_parts:
            _put(values, tokens.of_number(number), wanted, leaf=True)
            if type(number) is not int:
                for token in tokens.shortened(number):
                    _put(values, token, wanted)


def _is_settled(values: Values, texts: Iterable[str], wanted: Wanted) -> bool:
    """Whether one look over all *texts* is enough: nothing wanted is there, or nothing but small numbers."""
    every = "\n".join(texts)
    found = _found(every, wanted)
    if found and (not all(map(_is_small, found)) or wanted.is_figure_in(every, found)):
        return False
    # Wherever a small number stands, a match of it says as much as it ever does.
    for word in found:
        _put(values, (word, False), wanted)
    return True


def _found(text: str, wanted: Wanted) -> AbstractSet[str]:
    """The wanted words of *text*; numbers written in another way, grouped or with zeros in front, count as found."""
    if wanted.has_dates:
        text = _MOMENT.sub(r"\1 ", text)
    found = wanted.words.intersection(tokens.words_in(text))
    if wanted.whole_parts:
        found = found.union(wanted.words.intersection(_PADDED.findall(text)))
        if tokens.is_grouped(text):
            return found.union(_GROUPED)
    return found


def _text(values: Values, text: str, wanted: Wanted | None, *, is_key: bool) -> None:
    if len(text) <= _LONGEST_WHOLE:
        token, telling = tokens.of_text(text)
        if token:
            _put(values, (token, telling and (not is_key or tokens.is_made(text))), wanted, leaf=True)
    for found in tokens.inside(text, None if wanted is None else wanted.words):
        _put(values, found, wanted)
    if wanted is None:
        values.derived.update(derived(text))
    elif "/" in text or "@" in text or "\\" in text:
        values.derived.update(pair for pair in derived(text) if pair[0] in wanted.tokens)


def _put(values: Values, found: tokens.Token, wanted: Wanted | None, *, leaf: bool = False) -> None:
    token, telling = found
    if wanted is not None and token not in wanted.tokens:
        return
    if telling or token not in values.tokens:
        values.tokens[token] = telling
    if leaf:
        values.whole_leaves.add(token)


def words(values: Values) -> set[str]:
    """Every single word in *values*, for asking whether a text only says again what these said."""
    return {word for token in values.tokens for word in token.split(" ")}

"""
Extracts comparable values from arguments, results and messages, within a budget.

Results are long and arguments are short. So a result is searched only for values that occur in some argument; a text
that shares no word with any argument is skipped.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import msgspec

from . import tokens
from .leaves import Leaves
from .reactions import Outcome, result_outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from otel_parallelism.model import Content

    from .reading_budget import ReadingBudget

# Starts with a literal character, which the search can jump to.
_PADDED = re.compile(r"0(?<![^\W_]0)(?=\d{4})0*(\d+)")
_MOMENT = re.compile(r"(\d-\d\d)T(?=\d\d:)")
_LONGEST_WHOLE = 200
_SMALL = 4
_GROUPED = ("1,000",)


class Values(msgspec.Struct):
    """
    The comparable values in one piece of content.

    Attributes:
        tokens: Whether each token is distinctive: a match of an identifier or a long text is no coincidence, a match
            of a small number or a common word may be one.
        whole_leaves: The tokens that are a complete value, not a part of a longer text.
        whole: Whether everything was read.
        outcome: Whether the content, if it is a result, reports a failure or is empty.
        named: Whether each pair of a field's name and its token is distinctive: the token is, or the name is like
            ``room_id``.
        derived: For each form that a value may have been derived from, a longer form that contains it. Of a result,
            only paths and addresses are considered.
    """

    tokens: dict[str, bool]
    whole_leaves: set[str]
    whole: bool
    outcome: Outcome = ""
    named: dict[tuple[str, str], bool] = msgspec.field(default_factory=dict)
    derived: dict[str, str] = msgspec.field(default_factory=dict)


class Wanted:
    """
    The values to search results for: those that occur in some argument.

    Attributes:
        tokens: The tokens of all arguments, and their single words.
        words: The single words alone.
        named: The pairs of a field's name and its token; ``names`` are the names alone.
        whole_parts: The integers next to each number, to skip other numbers quickly.
        figures: The words of each token that consists of short numbers only, such as a date or a fraction, with the
            fraction itself.
        has_dates: Whether one of the figures is a date or a time.
    """

    __slots__ = ("figures", "has_dates", "known", "named", "names", "tokens", "whole_parts", "words")

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
        # A number written with fewer decimals may be rounded to the next integer.
        self.whole_parts: frozenset[int] = frozenset(whole + step for whole in map(int, numbers) for step in (-1, 0, 1))
        some = ((frozenset(tokens.words_in(token)), token) for token in found if not token.isalnum())
        self.figures: list[tuple[frozenset[str], str]] = [
            (figures, token.lstrip("-") if "." in token else "")
            for figures, token in some
            if figures and all(map(_is_small, figures))
        ]
        # What has been found in the texts and keys searched so far: results repeat each other.
        self.known: tuple[dict[str, Values], dict[str, Values]] = ({}, {})
        self.has_dates: bool = any(not fraction and len(figures) > 1 for figures, fraction in self.figures)

    def is_figure_in(self, text: str, found: AbstractSet[str]) -> bool:
        """Return whether *text*, in which the words *found* occur, may contain a wanted date or fraction."""
        return any(found >= figures and fraction in text for figures, fraction in self.figures)


def _is_small(word: str) -> bool:
    return word.isdecimal() and len(word) <= _SMALL


def values_of(  # noqa: C901 - each thing that can go wrong makes the values incomplete
    content: Content | None,
    max_leaves: int,
    max_bytes: int,
    wanted: Wanted | None = None,
    *,
    arguments: bool = False,
    known: dict[str | float, Values] | None = None,
    budget: ReadingBudget | None = None,
) -> Values | None:
    """
    Return the values in *content*; None if it is None.

    Args:
        content: Parsed first if it has a parser. If the parser fails, the values are not whole.
        max_leaves: How many values are read. If there are more, the values are not whole.
        max_bytes: Longer strings are skipped, and the values are not whole.
        wanted: Search for these values only; None extracts all.
        arguments: Whether these are a call's arguments; the outermost keys are then the names of its parameters.
        known: A cache of the values in texts and numbers, used if *wanted* is None: arguments often repeat.
        budget: What may be read of several contents together. Once it is spent, the values are not whole.
    """
    if content is None:
        return None
    if budget is not None and budget.is_spent():
        budget.left_out += 1
        return Values({}, set(), whole=False)
    values = Values({}, set(), content.whole, named={})
    value = content.value
    if content.parse is not None:
        try:
            value = content.parse(value)
        except Exception:  # noqa: BLE001 - a dialect's parser may fail in any way on unknown data
            values.whole = False
            return values
    try:
        if not arguments:
            values.outcome = result_outcome(value)
        leaves = Leaves(None if wanted is None else wanted.names)
        room = max_leaves if budget is None else min(max_leaves, budget.leaves)
        if not leaves.take(value, room):
            values.whole = False
            if budget is not None and room < max_leaves:
                budget.left_out += 1
        if budget is not None:
            budget.spend(leaves)
        if arguments:
            names = value if type(value) is dict else ()
            leaves.keys = {key for key in leaves.keys if key not in names and tokens.is_value_key(key)}
        _add_leaves(values, leaves, max_bytes, wanted, {} if known is None else known)
    except Exception:  # noqa: BLE001 - a container of the user may fail in any way, or change while it is read
        values.whole = False
    return values


def _add_leaves(
    values: Values, leaves: Leaves, max_bytes: int, wanted: Wanted | None, known: dict[str | float, Values]
) -> None:
    _add_named(values, leaves.named, wanted)
    for flag in leaves.flags:
        _add_token(values, tokens.of_flag(flag), wanted, leaf=True)
    texts = leaves.texts
    if texts and max(map(len, texts)) > max_bytes:
        values.whole = False
        texts = [text for text in texts if len(text) <= max_bytes]
    if wanted is not None:
        _search(values, leaves, texts, wanted)
        return
    for number in leaves.numbers:
        _add_cached(values, number, known)
    for text in texts:
        _add_cached(values, text, known)
    for key in leaves.keys:
        _add_text(values, key, None, is_key=True)


def _search(values: Values, leaves: Leaves, texts: Sequence[str], wanted: Wanted) -> None:
    """Add only the *wanted* values of *texts* and of the numbers and keys of *leaves*."""
    _add_numbers(values, leaves.numbers, wanted)
    if _is_settled(values, (*texts, *leaves.keys), wanted):
        return
    already_searched = len(texts) + len(leaves.keys) == 1
    for is_key, some in ((False, texts), (True, leaves.keys)):
        known = wanted.known[is_key]
        for text in some:
            inside = known.get(text)
            if inside is None:
                inside = Values({}, set(), whole=True)
                if already_searched or _found(text, wanted):
                    _add_text(inside, text, wanted, is_key=is_key)
                if len(text) <= _LONGEST_WHOLE:
                    known[text] = inside
            _add_values(values, inside)


def _add_cached(values: Values, item: str | float, known: dict[str | float, Values]) -> None:
    """Add all values in *item*, from the cache *known* if they are in it."""
    cached = known.get(item)
    if cached is None:
        cached = known[item] = Values({}, set(), whole=True)
        if isinstance(item, str):
            _add_text(cached, item, None, is_key=False)
        else:
            _add_numbers(cached, (item,), None)
    _add_values(values, cached)


def _add_values(values: Values, others: Values) -> None:
    """Add what a part of the content holds, *others*, to *values*."""
    if others.tokens:
        tokens_so_far = values.tokens
        for token, distinctive in others.tokens.items():
            if distinctive or token not in tokens_so_far:
                tokens_so_far[token] = distinctive
        values.whole_leaves |= others.whole_leaves
    if others.derived:
        values.derived |= others.derived


def _add_named(values: Values, named: Iterable[tuple[str, str | float]], wanted: Wanted | None) -> None:
    for name, value in named:
        if isinstance(value, str):
            if len(value) > _LONGEST_WHOLE:
                continue
            token, distinctive = tokens.of_text(value)
        else:
            token, distinctive = tokens.of_number(value)
        if token and (wanted is None or (name, token) in wanted.named):
            values.named[name, token] = distinctive or tokens.is_identifying_name(name)


def _add_numbers(values: Values, numbers: Iterable[float], wanted: Wanted | None) -> None:
    for number in numbers:
        if wanted is None or not math.isfinite(number) or int(number) in wanted.whole_parts:
            _add_token(values, tokens.of_number(number), wanted, leaf=True)
            if type(number) is not int:
                for token in tokens.shortened(number):
                    _add_token(values, token, wanted)


def _is_settled(values: Values, texts: Iterable[str], wanted: Wanted) -> bool:
    """Add what *texts* contain and return True if they contain nothing wanted, or only small numbers."""
    every = "\n".join(texts)
    found = _found(every, wanted)
    if found and (not all(map(_is_small, found)) or wanted.is_figure_in(every, found)):
        return False
    # A match of a small number has the same weight wherever it occurs.
    for word in found:
        _add_token(values, (word, False), wanted)
    return True


def _found(text: str, wanted: Wanted) -> AbstractSet[str]:
    """Return the wanted words in *text*, including numbers with grouped digits or leading zeros."""
    if wanted.has_dates:
        text = _MOMENT.sub(r"\1 ", text)
    found = wanted.words.intersection(tokens.words_in(text))
    if wanted.whole_parts:
        found = found.union(wanted.words.intersection(_PADDED.findall(text)))
        if tokens.is_grouped(text):
            return found.union(_GROUPED)
    return found


def _add_text(values: Values, text: str, wanted: Wanted | None, *, is_key: bool) -> None:
    if len(text) <= _LONGEST_WHOLE:
        token, distinctive = tokens.of_text(text)
        if token:
            _add_token(values, (token, distinctive and (not is_key or tokens.is_value_key(text))), wanted, leaf=True)
    for found in tokens.tokens_inside(text, None if wanted is None else wanted.words):
        _add_token(values, found, wanted)
    if wanted is None:
        values.derived.update(tokens.source_forms(text))
    elif "/" in text or "@" in text or "\\" in text:
        values.derived.update(pair for pair in tokens.source_forms(text) if pair[0] in wanted.tokens)


def _add_token(values: Values, found: tokens.Token, wanted: Wanted | None, *, leaf: bool = False) -> None:
    token, distinctive = found
    if wanted is not None and token not in wanted.tokens:
        return
    if distinctive or token not in values.tokens:
        values.tokens[token] = distinctive
    if leaf:
        values.whole_leaves.add(token)


def single_words(values: Values) -> set[str]:
    """Return every single word in the tokens of *values*."""
    return {word for token in values.tokens for word in token.split(" ")}

"""
Extracts comparable values from arguments, results and messages, within a budget.

Results are long and arguments are short. So a result is searched only for values that occur in some argument; a text
that shares no word with any argument is skipped.
"""

from __future__ import annotations

import math
from types import NoneType
from typing import TYPE_CHECKING

from otel_parallelism.model import Content, DeveloperText

from . import tokens
from .atoms import atom_of_flag, atom_of_number, atom_of_text
from .comparables import Values
from .derivations import source_forms
from .forms.identities import may_have_joined, message_text, plain_text, wanted_forms
from .forms.transformations import LARGEST, computed_numbers, rounded_numbers
from .leaves import Leaves
from .outcomes import result_outcome
from .placeholders import is_broken, is_content
from .plain_data import inner_data, plain_data
from .wanted import NOTHING, Wanted, is_small_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .reading_budget import ReadingBudget

_LONGEST_WHOLE = 200
_FEW = 3
_LONG_NUMBER = 1_000


def values_of(  # noqa: C901 - each thing that can go wrong makes the values incomplete
    content: Content | None,
    max_leaves: int,
    max_bytes: int,
    wanted: Wanted | None = None,
    *,
    arguments: bool = False,
    message: bool = False,
    brief: bool = False,
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
        message: Whether this is no result either, so that it has no outcome.
        brief: Whether the forms of arguments are left out, so that only values that stand elsewhere as they are count.
        known: A cache of the values in texts and numbers, used if *wanted* is None: arguments often repeat.
        budget: What may be read of several contents together. Once it is spent, the values are not whole.
    """
    if content is None:
        return None
    if budget is not None and budget.is_spent():
        budget.left_out += 1
        return Values({}, set(), whole=False)
    values = Values({}, set(), content.whole, named={})
    try:
        value = content.data()
    except Exception:  # noqa: BLE001 - a dialect's parser may fail in any way on unknown data
        values.whole = False
        return values
    if message and type(value) is list:
        values.whole = values.whole and bool(value or not content.value)  # a request has words of the user
        values.instructions = [str(one) for one in value if type(one) is DeveloperText]
        value = [one for one in value if type(one) is not DeveloperText and one != ""]
    try:
        if not (arguments or message):
            plain = plain_data(value)
            values.value = inner_data(plain)
            values.outcome = result_outcome(plain) or ("" if values.value is plain else result_outcome(values.value))
        leaves = Leaves(None if wanted is None else wanted.names)
        room = max_leaves if budget is None else min(max_leaves, budget.leaves)
        # The values that a text shows are complete ones too.
        shows = type(value) is str and not isinstance(values.value, (str, NoneType))
        if not (leaves.take(value, room) and (not shows or leaves.take(values.value, room))):
            values.whole = False
            if budget is not None and room < max_leaves:
                budget.left_out += 1
        if budget is not None:
            budget.spend(leaves)
        count = len(leaves.texts) + len(leaves.numbers) - shows
        values.alone = count == 1
        hidden = not is_content(leaves.texts, alone=count <= _FEW and not arguments) or (not shows and is_broken(value))
        values.whole = values.whole and not hidden
        values.readable = not hidden and (content.whole or bool(leaves.texts or leaves.numbers or leaves.flags))
        if arguments:
            values.plain = frozenset((*leaves.texts, *leaves.numbers))
            values.value = plain_data(value) if leaves.flags else None
            names = value if type(value) is dict else ()
            leaves.keys = {key for key in leaves.keys if key not in names and tokens.is_value_key(key)}
        leaves.texts = [message_text(text) if message else plain_text(text) for text in leaves.texts]
        long_numbers = [str(number) for number in leaves.numbers if abs(number) >= _LONG_NUMBER]
        values.texts = [*leaves.texts, *long_numbers, *(() if arguments else leaves.keys)]
        _add_leaves(values, leaves, max_bytes, wanted, None if brief else {} if known is None else known)
    except Exception:  # noqa: BLE001 - a container of the user may fail in any way, or change while it is read
        values.whole = False
    return values


def _add_leaves(
    values: Values, leaves: Leaves, max_bytes: int, wanted: Wanted | None, known: dict[str | float, Values] | None
) -> None:
    _add_named(values, leaves.named, wanted)
    for flag in leaves.flags:
        _add_token(values, tokens.of_flag(flag), wanted, leaf=True)
        if wanted is None:
            values.atoms.append(atom_of_flag(flag))
    texts = leaves.texts
    if texts and max(map(len, texts)) > max_bytes:
        values.whole = False
        texts = [text for text in texts if len(text) <= max_bytes]
    if wanted is not None:
        if wanted is not NOTHING:
            _search(values, leaves, texts, wanted)
        return
    items: list[str | float] = [*leaves.numbers, *texts]
    for item in items:
        _add_cached(values, item, known)
    for key in leaves.keys:
        _add_text(values, key, None, is_key=True)


def _search(values: Values, leaves: Leaves, texts: Sequence[str], wanted: Wanted) -> None:
    """Add only the *wanted* values of *texts* and of the numbers and keys of *leaves*."""
    if wanted.forms:
        _add_forms(values, leaves, texts, wanted)
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
                if already_searched or wanted.words_in(text):
                    _add_text(inside, text, wanted, is_key=is_key)
                if len(text) <= _LONGEST_WHOLE:
                    known[text] = inside
            _add_values(values, inside)


def _add_forms(values: Values, leaves: Leaves, texts: Sequence[str], wanted: Wanted) -> None:
    """Add the wanted identity forms of *texts*, and of the numbers, keys and lengths of *leaves*."""
    found = values.forms
    every, names, days = (*texts, *leaves.keys), wanted.has_names, wanted.has_days
    joined = wanted.joined is None or may_have_joined(every, wanted.joined)
    for text in every if names or days or joined else ():
        inside = wanted.known_forms.get(text)
        if inside is None:
            # The turn holds the texts anyway.
            found_here = wanted_forms(text, wanted.forms, names=names, days=days, joined=joined)
            inside = wanted.known_forms[text] = tuple(found_here)
        found.update(inside)
    if not wanted.near_forms and not wanted.has_counts:
        return
    numbers = leaves.numbers + [number for text in texts for number in tokens.numbers_in(text)]
    for number in numbers:
        if -LARGEST < number < LARGEST and int(number) in wanted.near_forms:
            found.update(form for form in rounded_numbers(number) if form in wanted.forms)
    if wanted.has_counts:
        found.update(form for form in computed_numbers(numbers, leaves.sizes) if form in wanted.forms)


def _add_cached(values: Values, item: str | float, known: dict[str | float, Values] | None) -> None:
    """Add all values in *item*, from the cache *known* if they are in it; without their forms if there is no cache."""
    cached = None if known is None else known.get(item)
    if cached is None:
        cached = Values({}, set(), whole=True)
        if isinstance(item, str):
            _add_text(cached, item, None, is_key=False, brief=known is None)
        else:
            _add_numbers(cached, (item,), None)
        if known is not None:
            known[item] = cached
            atom = atom_of_text(item, tuple(cached.derived)) if isinstance(item, str) else atom_of_number(item)
            cached.atoms.append(atom)
    _add_values(values, cached)


def _add_values(values: Values, others: Values) -> None:
    """Add what a part of the content holds, *others*, to *values*."""
    if others.tokens:
        tokens_so_far = values.tokens
        for token, distinctive in others.tokens.items():
            if distinctive or token not in tokens_so_far:
                tokens_so_far[token] = distinctive
        values.whole_leaves |= others.whole_leaves
    values.atoms += others.atoms
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
    found = wanted.words_in(every)
    values.words.update(found)
    if found and (not all(map(is_small_number, found)) or wanted.is_figure_in(every, found)):
        return False
    # A match of a small number has the same weight wherever it occurs.
    for word in found:
        _add_token(values, (word, False), wanted)
    return True


def _add_text(values: Values, text: str, wanted: Wanted | None, *, is_key: bool, brief: bool = False) -> None:
    if len(text) <= _LONGEST_WHOLE:
        token, distinctive = tokens.of_text(text)
        if token:
            _add_token(values, (token, distinctive and (not is_key or tokens.is_value_key(text))), wanted, leaf=True)
    for found in tokens.tokens_inside(text, None if wanted is None else wanted.words):
        _add_token(values, found, wanted)
    if brief:
        return
    if wanted is None:
        values.derived.update(source_forms(text))
    elif "/" in text or "@" in text or "\\" in text:
        values.derived.update(pair for pair in source_forms(text) if pair[0] in wanted.tokens)


def _add_token(values: Values, found: tokens.Token, wanted: Wanted | None, *, leaf: bool = False) -> None:
    token, distinctive = found
    if wanted is not None and token not in wanted.tokens:
        return
    if distinctive or token not in values.tokens:
        values.tokens[token] = distinctive
    if leaf:
        values.whole_leaves.add(token)

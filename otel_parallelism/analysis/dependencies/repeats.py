"""Finds repeats: one tool that is called again with equal arguments, not in one response of the model."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from otel_parallelism.pace import empty, paced

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from otel_parallelism.model import Call, Content, Effect

    from .contents.outcomes import Outcome

RepeatKind: TypeAlias = Literal["polling", "equal", "unknown"]
"""
What the results of repeats show: they differ or report a failure (``polling``), they are all ``equal``, so that the
first result could have been kept, or neither is known.
"""

_DEEPEST = 12
_MAX_PARTS = 2_000


class Repeats(msgspec.Struct, frozen=True):
    """The positions of two or more calls of one tool with equal arguments in order of start, their bits, and a kind."""

    positions: tuple[int, ...]
    mask: int
    kind: RepeatKind


def repeats_of(
    calls: Sequence[Call], effects: Callable[[], Sequence[Effect]], outcomes: Callable[[], Sequence[Outcome]]
) -> tuple[Repeats, ...]:
    """
    Return the repeats among *calls*, in order of their first call.

    Repeats are ``equal`` only if the tool reads and no call that may write ran between them.

    Args:
        calls: The calls of one scope in order of (start, end, id).
        effects: Returns the effect of each call; not asked if there are no repeats.
        outcomes: Returns the outcome of each call; likewise.
    """
    by_tool: dict[tuple[str, str], list[int]] = {}
    for index, call in paced(enumerate(calls)):
        if call.arguments is not None and call.arguments.whole:
            by_tool.setdefault((call.tool, call.resource), []).append(index)
    groups: list[list[int]] = []
    for same in by_tool.values():
        if len(same) < 2:  # noqa: PLR2004 - a repeat takes two
            continue
        by_arguments: dict[Hashable, list[int]] = {}
        for index in paced(same):
            form = arguments_form(calls[index].arguments)
            if form is not None:
                by_arguments.setdefault(form, []).append(index)
        groups += [
            group
            for group in paced(by_arguments.values())
            if len(group) > 1 and any(not _in_one_response(calls[group[0]], calls[index]) for index in group[1:])
        ]
        empty(by_arguments)
    if not groups:
        return ()
    # How many of the calls before each position may write.
    writing = list(itertools.accumulate((effect != "read" for effect in paced(effects())), initial=0))
    return tuple(
        Repeats(tuple(group), _mask(group), _kind(calls, group, writing, outcomes())) for group in paced(sorted(groups))
    )


def _kind(
    calls: Sequence[Call], group: Sequence[int], writing: Sequence[int], outcomes: Sequence[Outcome]
) -> RepeatKind:
    if any(outcomes[index] == "failed" for index in group):
        return "polling"
    forms = [_form_of(calls[index].result) for index in paced(group)]
    seen = [form for form in forms if form is not None]
    if any(form != seen[0] for form in seen):
        return "polling"
    if len(seen) < len(forms) or writing[group[-1] + 1] > writing[group[0]]:
        return "unknown"
    return "equal"


def _mask(group: Sequence[int]) -> int:
    mask = 0
    for index in paced(group):
        mask |= 1 << index
    return mask


def _in_one_response(a: Call, b: Call) -> bool:
    """Return whether the model requested both calls in one response, with different ids."""
    together = a.proved and b.proved and a.round is not None and a.round == b.round
    return together and not (a.call_id and a.call_id == b.call_id)


def arguments_form(content: Content | None) -> Hashable:
    """Return a form by which arguments compare; None if they are not whole or not plain."""
    form = _form_of(content)
    return None if form is None or content is None else (form, content.receiver)


def _form_of(content: Content | None) -> Hashable:
    """Return a form by which plain data compares; None if the content is not whole or not plain."""
    if content is None or not content.whole:
        return None
    try:
        value = content.data()
        return _frozen(value, [_MAX_PARTS], 0)
    except Exception:  # noqa: BLE001 - a dialect's parser, or a container of the user, may fail in any way
        return None


def _frozen(value: object, budget: list[int], depth: int) -> Hashable:
    """
    Return plain data in a hashable form, without running code of the program.

    Raises:
        ValueError: The value is not plain, or too large or too deep.
    """
    budget[0] -= 1
    kind = type(value)
    if budget[0] < 0 or depth > _DEEPEST:
        raise ValueError
    if value is None or kind in (str, int, float, bool, bytes):
        # True equals 1, but not as an argument.
        return (kind is bool, value)
    if kind in (list, tuple):
        return ("list", *(_frozen(item, budget, depth + 1) for item in value))  # type: ignore[attr-defined]
    if kind in (set, frozenset):
        return ("set", frozenset(_frozen(item, budget, depth + 1) for item in value))  # type: ignore[attr-defined]
    if kind is dict:
        items = ((_frozen(key, budget, depth + 1), _frozen(value[key], budget, depth + 1)) for key in value)  # type: ignore[index,attr-defined]
        return ("dict", frozenset(items))
    raise ValueError

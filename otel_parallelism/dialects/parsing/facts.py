"""What one dialect says about one span; `classify` combines the facts of all dialects."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from otel_parallelism.model import Caller, Content, Effect, EffectSource, SpanRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MAX_DIGITS = 19
_LARGEST = 10**_MAX_DIGITS

Kind: TypeAlias = Literal["turn", "call", "step", "cycle", "waiting", "passage", "ignored"]
"""
``cycle`` is the parent of one round. ``waiting`` is a span that lasts while the program waits for a person, such as an
approval. ``passage`` means that a span is *not* a run, even if another dialect says so. ``ignored`` means that the span
has no kind at all, whatever other dialects say.
"""


class Facts(msgspec.Struct, frozen=True):
    """
    What one dialect says about a span; what it does not say keeps its default.

    Attributes:
        kind: What the span is.
        tool: The tool's name.
        call_id: The model's id of the call.
        agent: The agent's name.
        title: A turn's name, if it is not the span's name.
        arguments: The call's arguments, undecoded.
        result: The call's result, undecoded.
        failed: Whether the dialect's own fields report an error.
        requested: Ids of the tool calls that a model's output asks for; None if the output was not captured.
        answer: A step's output; it is parsed to the calls that it asks for, where ids do not tell.
        input_tokens: Input tokens of a step, with cached ones.
        cached_tokens: Those of them that were read from a cache.
        words: The user's messages in the input of a step or a turn.
        effect: The declared effect of a call.
        effect_source: Where the effect is from, if it is not declared.
        resource: The declared resource of a call.
        depends_on: Names of the tools whose results the call needs.
        queue_ns: Time that the call waited before its body ran.
        blocked_ns: Time for which the call held the event loop's thread.
        stalled_ns: Time for which the machine may have kept it from running meanwhile.
        thread: The id of that thread.
        caller: Where the call was made.
        framework: The framework that made the call.
        switch: The setting that keeps calls from running together.
        streams: Whether calls start while this response streams, and no call is made beside it; see `Step`.
        remote: Whether the span describes a call of another process, such as a server's span.
    """

    kind: Kind | None = None
    tool: str = ""
    call_id: str = ""
    agent: str = ""
    title: str = ""
    arguments: Content | None = None
    result: Content | None = None
    failed: bool = False
    requested: tuple[str, ...] | None = None
    answer: Content | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    words: Content | None = None
    effect: Effect = "unknown"
    effect_source: EffectSource = ""
    resource: str = ""
    depends_on: tuple[str, ...] | None = None
    queue_ns: int = 0
    blocked_ns: int = 0
    stalled_ns: int = 0
    thread: int = 0
    caller: Caller | None = None
    framework: str = ""
    switch: str = ""
    streams: bool = False
    remote: bool = False


def merged_facts(one: Facts, other: Facts) -> Facts:
    """Return *one*, with its missing facts from *other*; the kind is *one*'s."""
    return Facts(
        kind=one.kind,
        tool=one.tool or other.tool,
        call_id=one.call_id or other.call_id,
        agent=one.agent or other.agent,
        title=one.title or other.title,
        arguments=_better(one.arguments, other.arguments),
        result=_better(one.result, other.result),
        failed=one.failed or other.failed,
        requested=other.requested if one.requested is None else one.requested,
        answer=_better(one.answer, other.answer),
        input_tokens=other.input_tokens if one.input_tokens is None else one.input_tokens,
        cached_tokens=other.cached_tokens if one.cached_tokens is None else one.cached_tokens,
        words=_better(one.words, other.words),
        effect=other.effect if one.effect == "unknown" else one.effect,
        effect_source=other.effect_source if one.effect == "unknown" else one.effect_source,
        resource=one.resource or other.resource,
        depends_on=other.depends_on if one.depends_on is None else one.depends_on,
        queue_ns=one.queue_ns or other.queue_ns,
        caller=one.caller or other.caller,
        blocked_ns=one.blocked_ns or other.blocked_ns,
        stalled_ns=one.stalled_ns or other.stalled_ns,
        thread=one.thread or other.thread,
        framework=one.framework or other.framework,
        switch=one.switch or other.switch,
        streams=one.streams or other.streams,
        remote=one.remote or other.remote,
    )


def _better(one: Content | None, other: Content | None) -> Content | None:
    """Return *one*, or *other* if only that was captured, or only that was captured whole."""
    if one is None or (other is not None and other.whole and not one.whole):
        return other
    return one


class CallMark(msgspec.Struct, frozen=True):
    """
    What makes a span a call of a tool, whatever else it says.

    The attribute ``key`` has one of ``values``, and the span's name starts with ``start``.
    """

    key: str
    values: frozenset[str]
    start: str = ""


Describer: TypeAlias = Callable[[SpanRecord], Facts | None]
"""Returns the facts about a span; None if the span is not of the dialect."""


class Dialect(msgspec.Struct, frozen=True):
    """
    One vocabulary of spans.

    Attributes:
        describe: Returns the facts about any span.
        rank: Dialects with a lower rank are believed first.
        keys: Attribute keys; a span with one of them may be of this dialect.
        operations: If not empty, the values of ``gen_ai.operation.name`` with which that key counts.
        names: Prefixes of span names that do the same.
        beside_others: Whether it may add facts to the span of any other dialect, without a key or a name of its own.
        beside_keys: Such a span has at least one of these attributes; empty if it may have none of them.
        by_name: Whether ``describe`` looks at nothing but the span's name.
        call_mark: What makes a span that no other dialect knows a call; None if that depends on more.
        describer: Returns a function that does the same as ``describe`` for spans with these keys of attributes, this
            name and this GenAI operation, which most spans of a program share. None if there is no such function.
    """

    describe: Describer
    rank: int
    keys: frozenset[str] = frozenset()
    operations: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    beside_others: bool = False
    beside_keys: frozenset[str] = frozenset()
    by_name: bool = False
    call_mark: CallMark | None = None
    describer: Callable[[tuple[str, ...], str, str], Describer] | None = None


def text(attributes: Mapping[str, object], *keys: str) -> str:
    """Return the first non-empty text among *keys*, else an empty string."""
    for key in keys:
        value = attributes.get(key)
        if value and isinstance(value, str):
            return value
    return ""


def first_value(attributes: Mapping[str, object], keys: Iterable[str]) -> object:
    """Return the first value among *keys* that is not None, else None."""
    for key in keys:
        value = attributes.get(key)
        if value is not None:
            return value
    return None


def whole_number(attributes: Mapping[str, object], *keys: str) -> int | None:
    """
    Return the first whole number of at least 0 among *keys*, else None.

    Some formats write all values as text, and some all numbers as floating-point ones.
    """
    for key in keys:
        value = attributes.get(key)
        if value is None:
            continue
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < _MAX_DIGITS:
            return int(value)
        if isinstance(value, float) and value.is_integer() and 0 <= value < _LARGEST:
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST:
            return value
    return None

"""Whether a call reads or writes: declared, told by the framework, set by glob patterns, or assumed from its name."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_parallelism.model import Call, Effect, EffectSource
    from otel_parallelism.settings import Settings

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_READS = frozenset(
    """
    get list search find fetch read query lookup look retrieve show view describe count calculate compute
    estimate check verify validate inspect browse download scan analyze analyse summarize summarise compare
    display print explain extract filter match measure monitor ping poll preview select sum translate
    convert detect classify recommend suggest load peek stat status tail head diff grep ls cat pwd wc du whoami
    autocomplete is has contains exists sort uniq which
    """.split()  # noqa: SIM905 - a list of quoted words would be three times as long
)
# One of these anywhere in a name makes it a write: get_or_create, find_and_replace.
_WRITES = frozenset(
    """
    create update delete remove insert write send cancel modify edit replace rename move upload publish
    submit purchase buy pay charge refund transfer deploy restart reboot shutdown kill terminate execute run
    install uninstall enable disable activate deactivate approve reject assign unassign subscribe unsubscribe
    register unregister save store append overwrite drop truncate migrate merge commit push revert rollback
    resolve reset clear set put add make mkdir rmdir touch rm mv cp chmod chown drop revoke grant lock unlock invite
    retweet unfollow follow close open start stop begin end trigger schedule reschedule
    checkin checkout toggle adjust fill press click type drive navigate
    """.split()  # noqa: SIM905 - a list of quoted words would be three times as long
)
# These are nouns as often as verbs: a write only where a verb stands.
_WRITES_IN_FRONT = frozenset(
    """
    book order post comment message reply share mark mail email call notify tweet reserve log login logout
    sign authenticate ship bid vote like rate report display_log record archive
    """.split()  # noqa: SIM905 - a list of quoted words would be three times as long
)
# These say nothing of a call by themselves (apply_filter, forward_geocode), but do after another verb.
_WRITES_AFTER_A_VERB = frozenset(
    "increment decrement fix repair patch swap flush purge forward hold claim apply sync".split()  # noqa: SIM905 - likewise
)
_PHRASES = frozenset(
    {
        ("check", "in"),
        ("check", "out"),
        ("sign", "up"),
        ("log", "in"),
        ("log", "out"),
        ("select", "option"),
        ("select", "dropdown"),
    }
)
_PREFIXES = re.compile(r"__|[-./:]")
_GLOB = re.compile(r"([*?\[])")
_CONJUNCTIONS = frozenset({"and", "or", "then"})


def effect(call: Call, settings: Settings) -> tuple[Effect, EffectSource]:
    """
    What *call* does to the world outside it, and how that is known.

    Tools that the settings call serial count as writing, whatever they do. Else, in this order: what its decorator or
    its framework says, the settings' patterns (a write pattern wins over a read pattern), the words of its name.
    A name is only ever ``assumed`` to tell the truth.
    """
    if settings.serial and _matches(call.tool, settings.serial):
        return "write", "settings"
    if call.effect_source in {"declared", "framework"}:
        return call.effect, call.effect_source
    if settings.writes and _matches(call.tool, settings.writes):
        return "write", "settings"
    if settings.read_only and _matches(call.tool, settings.read_only):
        return "read", "settings"
    if call.effect != "unknown":
        return call.effect, call.effect_source or "framework"
    assumed = assumed_effect(call.tool)
    return assumed, "assumed" if assumed != "unknown" else ""


def _matches(tool: str, patterns: tuple[str, ...]) -> bool:
    name = tool.lower()
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns)


@lru_cache(maxsize=4096)
def assumed_effect(tool: str) -> Effect:
    """
    What the words of a tool's name suggest.

    A writing verb anywhere defeats a reading one in front; the name of a server or a plugin before it is no verb.

    >>> assumed_effect("get_weather"), assumed_effect("getOrCreateUser"), assumed_effect("frobnicate")
    ('read', 'write', 'unknown')
    >>> assumed_effect("mcp__crm__find_user"), assumed_effect("desk-get_weather")
    ('read', 'read')
    """
    words = [word.lower() for word in _WORDS.findall(tool)]
    if any(word in _WRITES for word in words) or any(pair in _PHRASES for pair in itertools.pairwise(words)):
        return "write"
    in_front = [word for index, word in enumerate(words) if index == 0 or words[index - 1] in _CONJUNCTIONS]
    if any(word in _WRITES_IN_FRONT for word in in_front) or any(word in _WRITES_AFTER_A_VERB for word in in_front[1:]):
        return "write"
    if any(word in _READS for word in in_front):
        return "read"
    last = _PREFIXES.split(tool)[-1]
    return assumed_effect(last) if last and last != tool else "unknown"


def mcp_effects(tools: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """
    Sort the tools of an MCP server into those that read and those that write, as their annotations say.

    What they return goes into settings: ``read_only, writes = mcp_effects(await session.list_tools())`` and then
    ``Settings(read_only=read_only, writes=writes)``. That a call may be repeated (``idempotentHint``) does not make
    it safe beside others, and a tool that says nothing of itself is in neither.

    Args:
        tools: The result of ``tools/list`` or its tools, as data or as an MCP library's objects.

    Returns:
        The names of reading and of writing tools, as patterns that match just these.

    >>> mcp_effects({"tools": [{"name": "find_page", "annotations": {"readOnlyHint": True}}, {"name": "odd"}]})
    (('find_page',), ())
    """
    listed = _field(tools, "tools")
    if listed is None:
        listed = tools
    reads: list[str] = []
    writes: list[str] = []
    for tool in listed if isinstance(listed, Iterable) else ():
        name, hints = _field(tool, "name"), _field(tool, "annotations")
        if not isinstance(name, str) or not name or hints is None:
            continue
        told = hinted_effect(
            _field(hints, "readOnlyHint", "read_only_hint"), _field(hints, "destructiveHint", "destructive_hint")
        )
        if told != "unknown":
            (writes if told == "write" else reads).append(_GLOB.sub(r"[\1]", name))
    return tuple(reads), tuple(writes)


def hinted_effect(read_only: object, destructive: object) -> Effect:
    """
    Return the effect that an MCP tool's hints tell of; one that claims both is taken to write.

    >>> hinted_effect(True, None), hinted_effect(True, True), hinted_effect(None, None)
    ('read', 'write', 'unknown')
    """
    if destructive is True or read_only is False:
        return "write"
    return "read" if read_only is True else "unknown"


def _field(thing: object, *names: str) -> object:
    for name in names:
        value = thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)
        if value is not None:
            return value
    return None

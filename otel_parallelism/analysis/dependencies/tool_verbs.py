"""Assumes the effect of a tool from the verbs in its name."""

from __future__ import annotations

import itertools
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_parallelism.model import Effect

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
# Anywhere in a name, one of these means a write: get_or_create, find_and_replace.
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
# These are often nouns. They mean a write only at the beginning or after a conjunction.
_WRITES_IN_FRONT = frozenset(
    """
    book order post comment message reply share mark mail email call notify tweet reserve log login logout
    sign authenticate ship bid vote like rate report display_log record archive
    """.split()  # noqa: SIM905 - a list of quoted words would be three times as long
)
# These mean nothing at the beginning (apply_filter, forward_geocode), but a write after a conjunction.
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
_CONJUNCTIONS = frozenset({"and", "or", "then"})


@lru_cache(maxsize=4096)
def assumed_effect(tool: str) -> Effect:
    """
    Return the effect that the words of a tool's name suggest.

    A writing verb anywhere outweighs a reading verb at the beginning. The name of a server or plugin in front of the
    tool's name is skipped.

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

"""Recognises addresses whose mere request acts: ``/job/nightly/build``, ``/hooks/reindex``, ``?turn=on``."""

from __future__ import annotations

import re

from otel_parallelism.patterns import LazyPattern

_LONGEST = 4_096
_SURE = (
    r"(?:/|[?&](?:action|do|cmd|op|cmnd|command)=)(?:delete|remove|unsubscribe|log-?out|sign-?out|confirm|activate"
    r"|cancel|approve|create|update|add|vote|checkout|purchase|pay|accept|reject|reset|send|verify|redeem)/?(?:[?#&]|$)"
    r"|/(?:web-?)?hooks?/|[?&](?:on|off|turn|switch|toggle|state|power|relay|set|enable|disable|trigger|restart"
    r"|refresh|rebuild)=(?:on|off|toggle|true|1|yes|now)(?:[&#]|$)|[?&](?:cmnd|command|cmd)="
)
_UNLESS_READ_ABOUT = (
    r"/(?:run|build|rebuild|start|stop|restart|trigger|launch|execute|exec|invoke|deploy|redeploy|rollback|refresh"
    r"|reload|reindex|resync|sync|retry|rerun|enable|disable|toggle|flush|purge|clear|wake|reboot|shutdown|lock|unlock"
    r"|claim|ack|pop|consume|dequeue|publish|subscribe|import|ingest|submit|reserve|next|increment|acquire|release-lock"
    r"|on|off|(?:set|trigger|start|stop|run|turn|switch|toggle|build|create|delete|update|add|remove|refresh|sync|send"
    r"|execute|enable|disable|restart|reset|clear|open|close|launch)(?:_\w+|(?-i:[A-Z])\w*))/?(?:[?#]|$)"
)
ACTING_PATHS = f"{_SURE}|{_UNLESS_READ_ABOUT}".replace("|$)", "|[\"'\\\\]|$)")
"""What addresses that may act have in them, at the end of a text or before a quote, in capitals too."""

_ACTS = LazyPattern(_SURE, re.IGNORECASE)
_ACTS_UNLESS_READ_ABOUT = LazyPattern(_UNLESS_READ_ABOUT, re.IGNORECASE)
_READ_ABOUT = LazyPattern(
    r"//(?:docs?|developers?|help|learn|wiki|blog|support|en|www)\.|/(?:docs?|documentation|guides?|help|learn|wiki|blog"
    r"|tutorials?|reference|manual|handbook|kb|articles?|posts?|man|tree|blob|questions|packages?|project|package|pypi)/",
    re.IGNORECASE,
)


def acts_by_address(address: str) -> bool:
    """
    Return whether a mere request of *address* may act. Pages of documentation about such an act do not.

    >>> acts_by_address("https://ci.example/job/nightly/build?delay=0"), acts_by_address("http://shed/relay/0?turn=on")
    (True, True)
    >>> acts_by_address("https://docs.example/cli/build"), acts_by_address("https://api.example/builds/7")
    (False, False)
    """
    if len(address) > _LONGEST:
        return True
    if _ACTS.search(address) is not None:
        return True
    return _ACTS_UNLESS_READ_ABOUT.search(address) is not None and _READ_ABOUT.search(address) is None

"""
mcp: calls of a server's tools, seen from the client; what the server says of its tools is their effect.

Turns and model requests are the program's own that asks for the calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from otel_parallelism.tracing.current import get_current

from .calls import CallFacts, calls
from .context_protocol import effect_of, returned
from .lifetimes import argument, around
from .patching import Framework, Patch

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from otel_parallelism.model import Effect

    from .lifetimes import Arguments, Keywords

_SESSION = "mcp.client.session:ClientSession"
_EFFECTS: WeakKeyDictionary[Any, dict[str, Effect]] = WeakKeyDictionary()
"""What the server of each session says of its tools."""


class _Listing:
    """A list of tools on its way: no span, only what it says in the end."""

    __slots__ = ("_session",)

    def __init__(self, session: Any) -> None:
        self._session = session

    def enter(self) -> None:
        pass

    def leave(self) -> Context:
        return get_current()

    def seen(self, item: Any) -> None:
        pass

    def end(self, result: Any) -> None:
        """Keep the effects of the tools in a page of a listing; those of other pages stay."""
        known = _EFFECTS.setdefault(self._session, {})
        known.update((tool.name, effect_of(tool.annotations)) for tool in result.tools)

    def fail(self, error: BaseException) -> None:
        pass


def _listing(session: Any, _: Arguments, __: Keywords) -> _Listing:
    return _Listing(session)


def _call(session: Any, args: Arguments, kwargs: Keywords) -> CallFacts:
    tool = argument(args, kwargs, 0, "name")
    effect = _EFFECTS.get(session, {}).get(tool, "unknown")
    return CallFacts(tool, arguments=argument(args, kwargs, 1, "arguments") or {}, effect=effect)


FRAMEWORK = Framework(
    name="mcp",
    distribution="mcp",
    versions=">=1.21,<3",
    patches=(
        Patch(f"{_SESSION}.call_tool", calls(_call, returned)),
        Patch(f"{_SESSION}._absorb_tool_listing|ClientSession.list_tools", around(_listing)),
    ),
    native=("calls",),
    others=("openinference-instrumentation-mcp", "opentelemetry-instrumentation-mcp"),
    lacks="It knows of no agent: open an agent_turn around each run.",
)

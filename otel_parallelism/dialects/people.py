"""
Spans that last while a program waits for a person: an approval, an answer, an interrupt.

No convention has a name for them. Handwritten spans and frameworks name them after what they wait for. Another
dialect's kind is believed first: a tool named ``human_input`` is a call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_parallelism.patterns import LazyPattern

from .parsing.facts import Dialect, Facts

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

WAITING_NAMES: Final = (
    *("blocked_on_user", "human_input", "human_approval", "human_review", "human_feedback", "human_in_the_loop"),
    *("user_input", "user_approval", "user_confirmation", "wait_for_human", "wait_for_user", "wait_for_approval"),
    *("wait_for_input", "waiting_for_human", "waiting_for_user", "waiting_for_approval", "awaiting_human"),
    *("awaiting_user", "awaiting_approval", "tool_approval", "request_approval", "approval_request", "interrupt"),
    "elicitation",
)
_ENDINGS: Final = tuple(f"_{name}" for name in WAITING_NAMES)
_SEPARATORS: Final = LazyPattern(r"[^a-z0-9]+")


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts of a wait, which the span's name tells; None for any other span."""
    return _WAITING if _is_wait(span.name) else None


def _is_wait(name: str) -> bool:
    # What is waited for may follow a colon.
    words = _SEPARATORS.sub("_", name.partition(":")[0].lower()).strip("_")
    return f"_{words}".endswith(_ENDINGS)


_WAITING: Final = Facts(kind="waiting")


_SPOKEN: Final = tuple(name.replace("_", " ") for name in WAITING_NAMES)

DIALECT = Dialect(
    describe=_describe,
    rank=200,
    names=(*WAITING_NAMES, *_SPOKEN, *(spoken.capitalize() for spoken in _SPOKEN)),
    beside_others=True,
    by_name=True,
)

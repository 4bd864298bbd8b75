"""The settings of the package: one frozen value, from arguments or from the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from . import names

if TYPE_CHECKING:
    from collections.abc import Mapping

Emit = Literal["event", "log", "both"]

BOOKKEEPING = (
    "final_answer",
    "finish",
    "think",
    "transfer_to_*",
    "transfer_back_to_*",
    "handoff_to_*",
    "(merged*",
    "exit_loop",
)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a user may change. Times in seconds, patterns are globs over tool names (case is ignored).

    Attributes:
        min_avoidable: A finding that costs less than this many seconds is not reported.
        min_avoidable_share: Nor is one that costs less than this share of its turn.
        bookkeeping: Tools that are not calls.
        read_only: Tools that change nothing.
        writes: Tools that change something.
        evidence: Whether arguments and results are held, in memory, until the turn ends.
        max_content_bytes: A string longer than this is not looked into.
        max_leaves: Values looked at in one argument list or result.
        max_open_turns: Turns followed at once; more are counted, not analysed.
        max_calls_per_turn: Calls kept per turn; more are counted, not analysed.
        max_spans_per_trace: Spans remembered while a trace is open, to find a call's ancestors.
        max_findings: Findings written as events on one turn's span.
        max_agents: Agent names that become a metric attribute; later ones are ``other``.
        emit: Findings as span events, as log-based events, or both.
        caller_on_calls: Whether the caller's file and line are written on calls' spans too.
        call_duration_metric: Whether ``agent.parallelism.call.duration`` is recorded.
        capture_content: Whether content may leave the process (the standard GenAI variable).
    """

    min_avoidable: float = 0.05
    min_avoidable_share: float = 0.05
    bookkeeping: tuple[str, ...] = BOOKKEEPING
    read_only: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    evidence: bool = True
    max_content_bytes: int = 262_144
    max_leaves: int = 2_000
    max_open_turns: int = 10_000
    max_calls_per_turn: int = 10_000
    max_spans_per_trace: int = 100_000
    max_findings: int = 8
    max_agents: int = 100
    emit: Emit = "event"
    caller_on_calls: bool = False
    call_duration_metric: bool = False
    capture_content: bool = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, **arguments: Any) -> Settings:
        """
        Read the ``OTEL_PARALLELISM_*`` variables; *arguments* win over them.

        Raises:
            ValueError: A variable cannot be read as its setting's type; the message names both.
        """
        environ = os.environ if environ is None else environ
        found: dict[str, Any] = {}
        for field in msgspec.structs.fields(cls):
            variable = names.ENVIRONMENT_PREFIX + field.name.upper()
            if field.name == "capture_content":
                variable = names.CAPTURE_CONTENT
            text = environ.get(variable, "").strip()
            if text:
                found[field.name] = _read(variable, text, field.type)
        return cls(**{**found, **arguments})


def _read(variable: str, text: str, wanted: Any) -> Any:
    if wanted is bool:
        return text.lower() not in {"0", "false", "no", "off", "no_content"}
    if wanted == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    try:
        return msgspec.convert(text, wanted, strict=False)
    except msgspec.ValidationError as error:
        message = f"{variable}={text!r}: {error}"
        raise ValueError(message) from None

"""The settings of the package: one frozen value, from arguments, the environment or the project's own file."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
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
    "handoff-*",
    "(merged*",
    "exit_loop",
    "set_model_response",
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
        serial: Tools that must keep their order among themselves and with whatever writes, as if they wrote.
        silence: Findings not to report: ``tool`` (glob), ``tool+tool``, ``cause:model`` or ``agent:name`` (glob).
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
        targets: Functions of your own that are tools: ``module:name``, ``module:Class.method`` or globs of these.
        sync_targets: Whether globs among them take functions that are not async, too.
        disabled_frameworks: Agent frameworks (globs over their import names) that are not to be patched.
        capture_content: Whether content may leave the process (the standard GenAI variable).
    """

    min_avoidable: float = 0.05
    min_avoidable_share: float = 0.05
    bookkeeping: tuple[str, ...] = BOOKKEEPING
    read_only: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    serial: tuple[str, ...] = ()
    silence: tuple[str, ...] = ()
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
    targets: tuple[str, ...] = ()
    sync_targets: bool = False
    disabled_frameworks: tuple[str, ...] = ()
    capture_content: bool = False

    @classmethod
    def from_environment(
        cls,
        environ: Mapping[str, str] | None = None,
        directory: Path | None = None,
        **arguments: Any,
    ) -> Settings:
        """
        Read the ``OTEL_PARALLELISM_*`` variables and the project's ``[tool.otel-parallelism]`` table.

        Args:
            environ: Instead of the process's environment; its variables win over the table.
            directory: Where to look for ``pyproject.toml``, here or above; the working directory by default.
            arguments: Fields given by the caller, which win over both.

        Raises:
            ValueError: A variable or an entry cannot be read as its setting's type, or there is no such setting;
                the message names the variable, or the file and the entry.
        """
        environ = os.environ if environ is None else environ
        found = _table(directory)
        for field in msgspec.structs.fields(cls):
            variable = names.ENVIRONMENT_PREFIX + field.name.upper()
            if field.name == "capture_content":
                variable = names.CAPTURE_CONTENT
            text = environ.get(variable, "").strip()
            if text:
                found[field.name] = _read(variable, text, field.type)
        return cls(**{**found, **arguments})


_NO = frozenset({"0", "false", "no", "off"})
# Values of the standard variable that keep content off spans.
_NOT_ON_SPANS = frozenset({"no_content", "event_only"})


def _read(variable: str, text: str, wanted: Any) -> Any:
    if wanted is bool:
        return text.lower() not in _NO | _NOT_ON_SPANS
    if wanted == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    try:
        return msgspec.convert(text, wanted, strict=False)
    except msgspec.ValidationError as error:
        message = f"{variable}={text!r}: {error}"
        raise ValueError(message) from None


def _table(directory: Path | None) -> dict[str, Any]:
    """The entries of ``[tool.otel-parallelism]`` in the nearest ``pyproject.toml``, checked; empty without one."""
    try:
        start = Path.cwd() if directory is None else directory
        path = next((p for folder in (start, *start.parents) if (p := folder / "pyproject.toml").is_file()), None)
        content = b"" if path is None else path.read_bytes()
    except OSError:  # the folder is gone, or not this process's to look into: no reason to fail for the program in it
        return {}
    # Reading every project's file to the end would cost more than this package is worth to it.
    if b"[tool.otel-parallelism]" not in content:
        return {}
    try:
        # It may stand there in a comment only.
        entries = tomllib.loads(content.decode()).get("tool", {}).get("otel-parallelism", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path}: {error}"
        raise ValueError(message) from None
    types = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    found = {}
    for key, value in entries.items():
        name = key.replace("-", "_")
        if name not in types:
            message = f"{path}: [tool.otel-parallelism] has no setting {key!r}; there are {', '.join(sorted(types))}"
            raise ValueError(message)
        try:
            found[name] = msgspec.convert(value, types[name])
        except msgspec.ValidationError as error:
            message = f"{path}: [tool.otel-parallelism] {key}: {error}"
            raise ValueError(message) from None
    return found

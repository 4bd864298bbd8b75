"""The settings of the package: one frozen value, from arguments, environment variables or ``pyproject.toml``."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from . import names
from .errors import SettingError
from .setting_values import YES, expectation, similar, value_of_variable
from .shown_names import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
    All settings. Times are in seconds; patterns are globs over tool names and ignore case.

    Attributes:
        min_avoidable: A finding that costs less than this many seconds is not reported.
        min_avoidable_share: A finding that costs less than this share of its turn is not reported.
        large_avoidable: A finding that costs this many seconds is reported, however long its turn is.
        assumed_limit: How many calls can surely run at once. No saving counts on more, unless more were seen at once.
        bookkeeping: Tools that do not count as calls.
        read_only: Tools that only read.
        writes: Tools that write.
        serial: Tools that keep their order with each other and with all writes, as if they wrote.
        silence: Findings not to report: ``tool`` (glob), ``tool+tool``, ``cause:model`` or ``agent:name`` (glob).
        evidence: Whether arguments and results are held in memory until the turn ends.
        max_content_bytes: Longer strings are not examined.
        max_leaves: Values examined per argument list or result.
        max_leaves_per_turn: Values examined per turn, in its results and messages; the latest results come first.
        max_bytes_per_turn: Characters examined per turn, likewise.
        max_held_bytes: Bytes of large contents (4 kB or more) that all open turns hold; the oldest are let go first.
        max_open_turns: Turns followed at once; further turns are counted, not analysed.
        max_calls_per_turn: Calls kept per turn; further calls count in the totals only.
        max_spans_per_trace: Spans remembered per open trace, to find the ancestors of calls.
        turn_end_budget: Seconds for which a turn's end may hold up an event loop; a longer analysis runs in a thread.
        max_findings: Findings written as events on one turn's span.
        max_agents: Agent names used as a metric attribute; further names become ``other``.
        max_tools: Tool names used as a metric attribute, likewise.
        emit: Whether findings are span events, log-based events, or both.
        caller_on_calls: Whether the caller's file and line are written on the spans of calls too.
        call_duration_metric: Whether ``agent.parallelism.call.duration`` is recorded.
        max_line_bytes: The longest line of a file of spans that is read; also the longest document over several lines.
        max_decompressed_bytes: The most that is read of what a compressed file contains.
        max_decompression_ratio: How many times its own size a compressed file may contain, beyond 100 MB.
        targets: Your own functions that are tools: ``module:name``, ``module:Class.method``, or globs of these.
        sync_targets: Whether globs in ``targets`` also match functions that are not async.
        call_spans: Spans that are calls whatever their vocabulary: globs over span names, or ``attribute=value``.
        model_spans: Spans that are model requests, in the same way.
        turn_spans: Spans that are turns, in the same way.
        disabled_frameworks: Agent frameworks that are not patched (globs over import names).
        lint_exclude: Files and folders that ``otel-parallelism lint`` leaves out (globs over paths and names).
        lint_kinds: The kinds of findings that ``otel-parallelism lint`` reports; all of them if empty.
        disabled: Whether the package does nothing at all. ``OTEL_SDK_DISABLED=true`` has the same effect.
        capture_content: Whether content may leave the process (the standard GenAI variable).

    Raises:
        SettingError: A value has a wrong type, or a number is negative.
    """

    min_avoidable: float = 0.05
    min_avoidable_share: float = 0.05
    large_avoidable: float = 1.0
    assumed_limit: int = 10
    bookkeeping: tuple[str, ...] = BOOKKEEPING
    read_only: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    serial: tuple[str, ...] = ()
    silence: tuple[str, ...] = ()
    evidence: bool = True
    max_content_bytes: int = 262_144
    max_leaves: int = 2_000
    max_leaves_per_turn: int = 20_000
    max_bytes_per_turn: int = 2_000_000
    max_held_bytes: int = 64_000_000
    max_open_turns: int = 10_000
    max_calls_per_turn: int = 10_000
    max_spans_per_trace: int = 100_000
    turn_end_budget: float = 0.001
    max_findings: int = 8
    max_agents: int = 100
    max_tools: int = 100
    emit: Emit = "event"
    caller_on_calls: bool = False
    call_duration_metric: bool = False
    max_line_bytes: int = 500_000_000
    max_decompressed_bytes: int = 20_000_000_000
    max_decompression_ratio: int = 200
    targets: tuple[str, ...] = ()
    sync_targets: bool = False
    call_spans: tuple[str, ...] = ()
    model_spans: tuple[str, ...] = ()
    turn_spans: tuple[str, ...] = ()
    disabled_frameworks: tuple[str, ...] = ()
    lint_exclude: tuple[str, ...] = ()
    lint_kinds: tuple[str, ...] = ()
    disabled: bool = False
    capture_content: bool = False

    def __post_init__(self) -> None:
        """Check every value; lists become tuples."""
        for name, wanted in _types().items():
            given = getattr(self, name)
            value = tuple(given) if isinstance(given, (list, set, frozenset)) else given
            expected = expectation(name, value, wanted)
            if expected:
                raise SettingError(f"{name}={given!r}: expected {expected}")
            if value is not given:
                msgspec.structs.force_setattr(self, name, value)

    @classmethod
    def from_environment(
        cls,
        environ: Mapping[str, str] | None = None,
        directory: Path | None = None,
        **arguments: Any,
    ) -> Settings:
        """
        Return the settings in ``OTEL_PARALLELISM_*`` variables and in the project's ``[tool.otel-parallelism]`` table.

        A warning is logged once for each variable that seems to be misspelt.

        Args:
            environ: Variables to use instead of the process's; variables win over the table.
            directory: The folder to search for ``pyproject.toml``, and its parents; default: the working directory.
            arguments: Fields given by the caller, which win over both.

        Raises:
            SettingError: A variable or an entry does not have its setting's type, or there is no such setting. The
                message names the variable, or the file and the key, and what was expected.
        """
        settings, found = read_settings(environ, directory, **arguments)
        if found:
            raise SettingError(found[0])
        warn_once(misspelt_variables(environ))
        return settings


DISABLED: Final = names.ENVIRONMENT_PREFIX + "DISABLED"
SDK_DISABLED: Final = "OTEL_SDK_DISABLED"
_LIKE_PREFIX: Final = "OTEL_PAR"
_LIKE: Final = 0.85
"""How much a variable with another prefix is like one of ours, at least."""
_NAMED: Final = re.compile(rb"""tool\s*\.\s*["']?otel[-_]parallelism|otel[-_]parallelism["']?\s*[.=]""")
"""What a file with a table of ours has; a list of dependencies seldom has it."""

_warned: set[str] = set()


def read_settings(
    environ: Mapping[str, str] | None = None, directory: Path | None = None, **arguments: Any
) -> tuple[Settings, tuple[str, ...]]:
    """
    Return the settings that can be read, with one sentence for each variable and key that cannot.

    The arguments are those of :meth:`Settings.from_environment`. Where a value cannot be read, the default is used.

    Raises:
        SettingError: One of *arguments* is wrong.
    """
    environ = os.environ if environ is None else environ
    found, problems = _table(directory)
    for name, wanted in _types().items():
        variable = variable_of(name)
        text = environ.get(variable, "").strip()
        if text:
            try:
                found[name] = value_of_variable(variable, name, text, wanted)
            except SettingError as error:
                problems.append(str(error))
                found.pop(name, None)
    if is_switched_off(environ):
        found["disabled"] = True
    return Settings(**{**found, **arguments}), tuple(problems)


def is_switched_off(environ: Mapping[str, str] | None = None) -> bool:
    """Return whether ``OTEL_PARALLELISM_DISABLED`` or ``OTEL_SDK_DISABLED`` is true."""
    environ = os.environ if environ is None else environ
    return environ.get(DISABLED, "").strip().lower() in YES or environ.get(SDK_DISABLED, "").strip().lower() == "true"


def setting_problems(environ: Mapping[str, str] | None = None, directory: Path | None = None) -> tuple[str, ...]:
    """Return one sentence for each variable or key that is wrong, misspelt ones included."""
    return (*read_settings(environ, directory)[1], *misspelt_variables(environ))


def misspelt_variables(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return one sentence for each variable that seems to be meant for this package, and is none of its variables."""
    known = set(map(variable_of, _types()))
    found = []
    for variable in sorted(os.environ if environ is None else environ):
        # The prefix may be misspelt too.
        if variable.upper().startswith(_LIKE_PREFIX) and variable not in known:
            if variable.startswith(names.ENVIRONMENT_PREFIX):
                rest = variable.removeprefix(names.ENVIRONMENT_PREFIX)
                close = similar(rest, map(str.upper, _types()), names.ENVIRONMENT_PREFIX)
            else:
                close = similar(variable.upper(), known, least=_LIKE)
            if close or variable.startswith(names.ENVIRONMENT_PREFIX):
                found.append(f"{printable(variable)} is no variable of this package{close}")
    return tuple(found)


def warn_once(problems: Iterable[str]) -> None:
    """Log a warning for each of *problems* that this process has not logged yet."""
    import logging  # noqa: PLC0415 - the core, which takes the settings, logs nothing

    for problem in problems:
        if problem not in _warned:
            _warned.add(problem)
            logging.getLogger(names.INSTRUMENTATION).warning("ignored: %s", problem)


@functools.cache
def _types() -> dict[str, Any]:
    """Return the type of each setting. Reading them from the class takes milliseconds."""
    return {field.name: field.type for field in msgspec.structs.fields(Settings)}


def variable_of(field: str) -> str:
    """Return the environment variable of a setting."""
    return names.CAPTURE_CONTENT if field == "capture_content" else names.ENVIRONMENT_PREFIX + field.upper()


def _table(directory: Path | None) -> tuple[dict[str, Any], list[str]]:
    """Return the valid entries of ``[tool.otel-parallelism]`` in the nearest ``pyproject.toml``, and the problems."""
    try:
        start = Path.cwd() if directory is None else directory
        path = next((p for folder in (start, *start.parents) if (p := folder / "pyproject.toml").is_file()), None)
        content = b"" if path is None else path.read_bytes()
    except OSError:  # the folder was deleted or may not be read: no reason to fail
        return {}, []
    # Parsing the file of every project would cost too much at start.
    if not _NAMED.search(content):
        return {}, []
    import tomllib  # noqa: PLC0415 - as above

    try:
        document = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        return {}, [f"{path}: {error}"] if b"[tool.otel-parallelism]" in content else []
    tools = document.get("tool")
    tools = tools if isinstance(tools, dict) else {}
    if "otel_parallelism" in tools:
        return {}, [f"{path}: [tool.otel_parallelism] is not read; is it [tool.otel-parallelism]?"]
    # The name may stand in a comment or among dependencies only.
    entries = tools.get("otel-parallelism", {})
    if not isinstance(entries, dict):
        return {}, [f"{path}: tool.otel-parallelism = {entries!r}: expected a table"]
    types = _types()
    found: dict[str, Any] = {}
    problems = []
    for key, value in entries.items():
        name = key.replace("-", "_")
        entry = tuple(value) if isinstance(value, list) else value
        if name not in types:
            problems.append(f"{path}: [tool.otel-parallelism] has no setting {key!r}{similar(name, types)}")
        elif expected := expectation(name, entry, types[name]):
            problems.append(f"{path}: [tool.otel-parallelism] {key} = {value!r}: expected {expected}")
        else:
            found[name] = entry
    return found, problems

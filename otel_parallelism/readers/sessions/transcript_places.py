"""Where coding agents keep their transcripts on this machine, and the turns in them."""

from __future__ import annotations

import hashlib
import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

import msgspec

from .agent_turns import AgentName, RecordedTurn, TranscriptCounts
from .claude_transcripts import claude_turns
from .codex_rollouts import codex_turns
from .gemini_chats import gemini_turns
from .opencode_storage import opencode_turns
from .record_fields import decoded_json, record_part, record_text
from .session_spans import trace_id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

AGENTS: Final[tuple[AgentName, ...]] = get_args(AgentName)
_S: Final = 10**9
_READERS: Final[Mapping[AgentName, Callable[[Path, TranscriptCounts], Iterator[RecordedTurn]]]] = {
    "claude-code": claude_turns,
    "codex": codex_turns,
    "gemini-cli": gemini_turns,
    "opencode": opencode_turns,
}


class TranscriptPlace(msgspec.Struct, frozen=True):
    """A folder in which an agent keeps transcripts, whether it exists, and the transcripts in it."""

    agent: AgentName
    folder: Path
    exists: bool
    files: tuple[Path, ...]


def transcript_places(
    agents: Sequence[AgentName] = AGENTS, *, home: Path | None = None, environment: Mapping[str, str] | None = None
) -> list[TranscriptPlace]:
    """
    Return where the transcripts of *agents* are kept, in this order.

    Args:
        agents: The agents.
        home: The home folder of the user.
        environment: The environment variables that move the folders: ``CLAUDE_CONFIG_DIR``, ``CODEX_HOME``,
            ``GEMINI_CLI_HOME``, ``XDG_CONFIG_HOME`` and ``XDG_DATA_HOME``.
    """
    home = Path.home() if home is None else home
    variables = os.environ if environment is None else environment
    return [
        _place(agent, folder, patterns) for agent in agents for folder, patterns in _folders(agent, home, variables)
    ]


def telemetry_files(*, home: Path | None = None, environment: Mapping[str, str] | None = None) -> list[Path]:
    """
    Return the files into which Gemini CLI writes its telemetry, as far as they exist.

    Args:
        home: The home folder of the user.
        environment: The environment variables; ``GEMINI_TELEMETRY_OUTFILE`` names a file.
    """
    home = Path.home() if home is None else home
    variables = os.environ if environment is None else environment
    named = [variables.get("GEMINI_TELEMETRY_OUTFILE", "")]
    for folder in (Path(variables.get("GEMINI_CLI_HOME") or home), Path.cwd()):
        try:
            settings = decoded_json((folder / ".gemini" / "settings.json").read_bytes())
        except OSError:
            continue
        telemetry = record_part(settings, "telemetry") if isinstance(settings, dict) else {}
        named.append(record_text(telemetry, "outfile"))
    found = dict.fromkeys(Path(name).expanduser().absolute() for name in named if name)
    return [path for path in found if os.path.isfile(path)]  # noqa: PTH113 - Path raises where a folder may not be read


def _folders(agent: AgentName, home: Path, variables: Mapping[str, str]) -> list[tuple[Path, tuple[str, ...]]]:
    if agent == "claude-code":
        named = [Path(name.strip()) for name in variables.get("CLAUDE_CONFIG_DIR", "").split(",") if name.strip()]
        config = Path(variables.get("XDG_CONFIG_HOME") or home / ".config")
        return [(root / "projects", ("**/*.jsonl",)) for root in named or [home / ".claude", config / "claude"]]
    if agent == "codex":
        root = Path(variables.get("CODEX_HOME") or home / ".codex")
        return [(root / name, ("**/*.jsonl", "**/*.jsonl.zst")) for name in ("sessions", "archived_sessions")]
    if agent == "gemini-cli":
        root = Path(variables.get("GEMINI_CLI_HOME") or home) / ".gemini" / "tmp"
        return [(root, ("*/chats/**/*.json", "*/chats/**/*.jsonl"))]
    root = Path(variables.get("XDG_DATA_HOME") or home / ".local" / "share") / "opencode"
    return [(root, ("opencode*.db", "storage/session/*/*.json"))]


def _place(agent: AgentName, folder: Path, patterns: tuple[str, ...]) -> TranscriptPlace:
    try:
        exists = folder.is_dir()
        files = (
            tuple(path for pattern in patterns for path in sorted(folder.glob(pattern)) if os.path.isfile(path))  # noqa: PTH113 - as above
            if exists
            else ()
        )
    except OSError:
        exists, files = False, ()
    return TranscriptPlace(agent, folder, exists, files)


def turns_in(
    places: Sequence[TranscriptPlace], counts: TranscriptCounts, *, since_ns: int | None = None, project: str = ""
) -> Iterator[RecordedTurn]:
    """
    Yield the turns in all transcripts, each once: a resumed session may repeat what another file has.

    Args:
        places: Where the transcripts are.
        counts: Counts what is read.
        since_ns: The earliest start of a turn; None for any.
        project: The folder of a project, its name, or a pattern; empty for all.
    """
    matches = _ProjectFilter(project) if project else None
    seen: set[bytes] = set()
    for place in places:
        for path in place.files:
            if since_ns is not None and _changed_ns(path) < since_ns:
                continue
            counts.files += path.suffix != ".db"
            for turn in _READERS[place.agent](path, counts):
                if (since_ns is not None and turn.start_ns < since_ns) or (matches and not matches(turn.project)):
                    continue
                key = bytes.fromhex(trace_id_of(turn))
                if key not in seen:
                    seen.add(key)
                    yield turn


def _changed_ns(path: Path) -> int:
    try:
        changed = path.stat().st_mtime_ns
        log = path.with_name(path.name + "-wal")
        return max(changed, log.stat().st_mtime_ns) if path.suffix == ".db" and log.exists() else changed + _S
    except OSError:
        return 2**63


class _ProjectFilter:
    """Decides whether a turn belongs to a project: by its folder, a folder above, its last name, or a pattern."""

    def __init__(self, project: str) -> None:
        self._pattern = project
        try:
            self._folder = str(Path(project).expanduser().resolve())
        except (OSError, RuntimeError, ValueError):
            self._folder = project
        # Gemini CLI names the folder of a project after this.
        self._hash = hashlib.sha256(self._folder.encode("utf-8", "surrogatepass")).hexdigest()
        self._by_path = "/" in project or "\\" in project or project in {".", "..", "~"}

    def __call__(self, project: str) -> bool:
        if not project:
            return False
        if project in {self._folder, self._hash} or project.startswith(self._folder.rstrip("/\\") + os.sep):
            return True
        name = project.replace("\\", "/").rstrip("/").rpartition("/")[2]
        return fnmatchcase(project, self._pattern) or (not self._by_path and fnmatchcase(name, self._pattern))

"""
OpenCode's sessions: files under ``storage/``, or since version 1.2 the tables of ``opencode.db``.

Both have the same messages and parts. Each part with a tool says when the tool started and ended.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Final

from .agent_turns import AgentName, RecordedTurn, TurnRecorder
from .record_fields import (
    decoded_json,
    json_file,
    milliseconds_ns,
    record_number,
    record_part,
    record_text,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from .agent_turns import TranscriptCounts

AGENT: Final[AgentName] = "opencode"
_PARTS_IGNORED: Final = frozenset(
    "reasoning file step-finish snapshot patch agent compaction subtask retry".split()  # noqa: SIM905 - long
)
_DECLINED: Final = ("The user rejected permission", "Error: The user rejected permission", "The user dismissed")
_MOST_MESSAGES: Final = 100_000


def opencode_turns(path: Path, counts: TranscriptCounts) -> Iterator[RecordedTurn]:
    """Yield the turns in a file of one session, or in a database of all sessions."""
    if path.suffix == ".db":
        yield from _database_turns(path, counts)
        return
    session = json_file(path, counts)
    if session is None:
        return
    counts.records += 1
    storage = path.parent.parent.parent
    name = record_text(session, "id") or path.stem
    yield from _turns(name, record_text(session, "directory"), _stored_messages(storage, name, counts), counts)


def _stored_messages(
    storage: Path, session: str, counts: TranscriptCounts
) -> Iterator[tuple[Mapping[str, Any], list[Mapping[str, Any]]]]:
    messages = [each for path in _files(storage / "message" / session) if (each := json_file(path, counts))]
    for message in sorted(messages, key=lambda each: (_created_ns(each) or 0, record_text(each, "id"))):
        folder = storage / "part" / (record_text(message, "id") or "-")
        yield message, [part for path in _files(folder) if (part := json_file(path, counts))]


def _files(folder: Path) -> list[Path]:
    try:
        # Path.is_file raises where a folder may not be read.
        files = sorted(path for path in folder.glob("*.json") if os.path.isfile(path))  # noqa: PTH113
        return files[:_MOST_MESSAGES]
    except (OSError, ValueError):
        return []


def _database_turns(path: Path, counts: TranscriptCounts) -> Iterator[RecordedTurn]:
    import sqlite3  # noqa: PLC0415 - only where there is a database

    try:
        with contextlib.closing(_connected(path)) as database:
            columns = {row[1] for row in database.execute("PRAGMA table_info(session)")}
            directory = "directory" if "directory" in columns else "''"
            sessions = database.execute(f"SELECT id, {directory} FROM session ORDER BY id").fetchall()  # noqa: S608 - a constant
            for name, folder in sessions:
                counts.files += 1
                yield from _turns(str(name), str(folder or ""), _rows(database, name, counts), counts)
    except (sqlite3.Error, OSError) as error:
        counts.unreadable.append(f"{path}: {error}")


def _connected(path: Path) -> sqlite3.Connection:
    """Return a connection that only reads; one that takes the file as it is if its log cannot be opened."""
    import sqlite3  # noqa: PLC0415 - as above

    address = path.absolute().as_uri()
    connection = sqlite3.connect(f"{address}?mode=ro", uri=True)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        connection = sqlite3.connect(f"{address}?mode=ro&immutable=1", uri=True)
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _rows(
    database: sqlite3.Connection, session: str, counts: TranscriptCounts
) -> Iterator[tuple[Mapping[str, Any], list[Mapping[str, Any]]]]:
    query = "SELECT id, data FROM message WHERE session_id = ? ORDER BY time_created, id"
    for name, data in database.execute(query, (session,)).fetchall():
        message = _value(data, counts)
        if message is None:
            continue
        parts = database.execute("SELECT data FROM part WHERE message_id = ? ORDER BY id", (name,)).fetchall()
        yield {"id": name, **message}, [part for (text,) in parts if (part := _value(text, counts)) is not None]


def _value(data: object, counts: TranscriptCounts) -> dict[str, Any] | None:
    value = decoded_json(data) if isinstance(data, str | bytes) else None
    if isinstance(value, dict):
        return value
    counts.broken += 1
    return None


def _turns(
    session: str,
    project: str,
    messages: Iterable[tuple[Mapping[str, Any], list[Mapping[str, Any]]]],
    counts: TranscriptCounts,
) -> Iterator[RecordedTurn]:
    recorder = TurnRecorder(AGENT, session)
    recorder.project = project
    for message, parts in messages:
        at_ns = _created_ns(message)
        role = record_text(message, "role")
        if role not in {"user", "assistant"}:
            counts.add_unknown(AGENT, role)
            continue
        counts.records += 1
        if at_ns is None:
            counts.untimed += 1
        elif role == "user":
            said = [record_text(part, "text") for part in parts if part.get("type") == "text"]
            ended = recorder.said(at_ns, "\n".join(said))
            counts.records += len(parts)
            if ended is not None:
                yield ended
        else:
            _assistant(message, parts, at_ns, recorder, counts)
    ended = recorder.close()
    if ended is not None:
        yield ended


def _assistant(
    message: Mapping[str, Any],
    parts: list[Mapping[str, Any]],
    at_ns: int,
    recorder: TurnRecorder,
    counts: TranscriptCounts,
) -> None:
    step, name = 0, record_text(message, "id") or str(at_ns)
    counted = False
    for part in parts:
        kind = record_text(part, "type")
        if kind == "step-start":
            step += 1
        elif kind == "tool":
            _tool(part, f"{name}.{step}", recorder, counts)
        elif kind == "step-finish" and (usage := _usage(part)) is not None:
            recorder.replied(at_ns, f"{name}.{step}", input_tokens=usage[0], cached_tokens=usage[1])
            counted = True
        elif kind == "text":
            recorder.wrote(f"{name}.{step}", record_text(part, "text"))
        elif kind not in _PARTS_IGNORED:
            counts.add_unknown(AGENT, kind)
            continue
        counts.records += 1
    usage = None if counted else _usage(message)
    completed_ns = milliseconds_ns(record_part(message, "time").get("completed"))
    asks = any(part.get("type") == "tool" for part in parts)
    recorder.replied(
        at_ns if asks or completed_ns is None else completed_ns,
        f"{name}.{step}",
        input_tokens=None if usage is None else usage[0],
        cached_tokens=None if usage is None else usage[1],
    )


def _tool(part: Mapping[str, Any], key: str, recorder: TurnRecorder, counts: TranscriptCounts) -> None:
    state = record_part(part, "state")
    start_ns = milliseconds_ns(record_part(state, "time").get("start"))
    if start_ns is None:
        counts.untimed += 1
        return
    call_id = record_text(part, "callID", "id")
    call = recorder.asked(start_ns, key, call_id, record_text(part, "tool"), state.get("input"))
    end_ns = milliseconds_ns(record_part(state, "time").get("end"))
    if call is not None and end_ns is not None:
        failed = state.get("status") == "error"
        result = state.get("error") if failed else state.get("output")
        recorder.returned(end_ns, call_id, result, failed=failed)
        call.declined = failed and isinstance(result, str) and result.startswith(_DECLINED)


def _usage(record: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the input tokens and the cached ones among them."""
    tokens = record_part(record, "tokens")
    plain = record_number(tokens, "input")
    if plain is None:
        return None
    cache = record_part(tokens, "cache")
    read = record_number(cache, "read") or 0
    return plain + read + (record_number(cache, "write") or 0), read


def _created_ns(message: Mapping[str, Any]) -> int | None:
    return milliseconds_ns(record_part(message, "time").get("created"))

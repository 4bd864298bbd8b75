"""
Gemini CLI's transcripts: ``tmp/<project>/chats/session-*``, one JSON document, or a record a line.

A message of the model has the calls that it asked for. Later lines replace messages with the same id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .agent_turns import AgentName, RecordedTurn, TurnRecorder
from .record_fields import (
    content_text,
    iso_ns,
    json_file,
    json_lines,
    record_list,
    record_number,
    record_part,
    record_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from .agent_turns import TranscriptCounts

AGENT: Final[AgentName] = "gemini-cli"
_IGNORED: Final = frozenset({"info", "error", "warning", "tool_group", "about", "help", "stats", "quit"})
_PROJECT_FILE: Final = ".project_root"
_LONGEST_PATH: Final = 4_096
_DONE: Final = frozenset({"success", "error", "cancelled"})


def gemini_turns(path: Path, counts: TranscriptCounts) -> Iterator[RecordedTurn]:
    """Yield the turns in one file."""
    messages, head = _replayed(json_lines(path, counts), counts) if path.suffix == ".jsonl" else _document(path, counts)
    recorder = TurnRecorder(AGENT, record_text(head, "sessionId") or path.stem)
    recorder.project = _project(path) or record_text(head, "projectHash")
    for number, message in enumerate(messages):
        kind = record_text(message, "type")
        if kind not in {"user", "gemini"}:
            if kind in _IGNORED:
                counts.records += 1
            else:
                counts.add_unknown(AGENT, kind)
            continue
        counts.records += 1
        at_ns = iso_ns(message.get("timestamp"))
        if at_ns is None:
            counts.untimed += 1
            continue
        if kind == "user":
            words = content_text(message.get("content"))
            ended = recorder.said(at_ns, words) if words else None
            if ended is not None:
                yield ended
        else:
            _response(message, number, at_ns, recorder)
    ended = recorder.close()
    if ended is not None:
        yield ended


def _document(path: Path, counts: TranscriptCounts) -> tuple[list[Mapping[str, Any]], Mapping[str, Any]]:
    """Return the messages of a conversation in one JSON document, and the document."""
    document = json_file(path, counts) or {}
    if document and not isinstance(document.get("messages"), list):
        counts.add_unknown(AGENT, "a file without messages")
    return record_list(document, "messages"), document


def _replayed(
    records: Iterable[Mapping[str, Any]], counts: TranscriptCounts
) -> tuple[list[Mapping[str, Any]], Mapping[str, Any]]:
    """Return the messages that the lines of a file leave, and the head of the conversation."""
    head: dict[str, Any] = {}
    messages: dict[str, Mapping[str, Any]] = {}
    for record in records:
        if "$rewindTo" in record:
            counts.records += 1
            ids = list(messages)
            target = record["$rewindTo"]
            for name in ids[ids.index(target) :] if target in ids else ():
                del messages[name]
        elif "$set" in record:
            counts.records += 1
            update = record_part(record, "$set")
            head.update(update)
            if isinstance(update.get("messages"), list):
                messages = {record_text(each, "id"): each for each in record_list(update, "messages")}
        elif "type" not in record and "sessionId" in record:
            counts.records += 1
            head.update(record)
        else:
            messages[record_text(record, "id") or f"#{len(messages)}"] = record
    return list(messages.values()), head


def _response(message: Mapping[str, Any], key: int, at_ns: int, recorder: TurnRecorder) -> None:
    tokens = record_part(message, "tokens")
    recorder.replied(
        at_ns, key, input_tokens=record_number(tokens, "input"), cached_tokens=record_number(tokens, "cached")
    )
    recorder.wrote(key, content_text(message.get("content")))
    for number, each in enumerate(record_list(message, "toolCalls")):
        call_id = record_text(each, "id") or f"{key}.{number}"
        call = recorder.asked(at_ns, key, call_id, record_text(each, "name"), each.get("args"))
        status = record_text(each, "status")
        if call is None or status not in _DONE:
            continue
        ended_ns = iso_ns(each.get("timestamp"))
        recorder.returned(ended_ns or at_ns, call_id, _result(each), failed=status != "success")
        call.declined = status == "cancelled"


def _result(call: Mapping[str, Any]) -> object:
    """Return what the model was given: the responses of the functions, or what was shown."""
    found: list[object] = [
        response.get("output", response.get("error", response)) if (response := _response_of(part)) else part
        for part in record_list(call, "result")
    ]
    if found:
        return found[0] if len(found) == 1 else found
    return call.get("resultDisplay") if call.get("result") is None else call.get("result")


def _response_of(part: Mapping[str, Any]) -> Mapping[str, Any]:
    return record_part(part, "functionResponse", "response")


def _project(path: Path) -> str:
    """Return the folder of the project, which newer versions write beside the chats."""
    folder = path.parent.parent
    try:
        with (folder / _PROJECT_FILE).open(encoding="utf-8", errors="replace") as file:
            return file.read(_LONGEST_PATH).strip()
    except OSError:
        return ""

"""
Claude Code's transcripts: ``projects/<folder>/<session>.jsonl``, a line for each block of a response and each result.

The lines of one response share its message id. Sub-agents stand in the same file, or in files of their own. What the
person wrote while the agent worked is an attachment of the next request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_parallelism.patterns import LazyPattern

from .agent_turns import AgentName, RecordedTurn, TurnRecorder
from .record_fields import content_text, iso_ns, json_lines, record_list, record_number, record_part, record_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from .agent_turns import TranscriptCounts

AGENT: Final[AgentName] = "claude-code"
_IGNORED: Final = frozenset(
    """
    summary system file-history-snapshot queue-operation progress attachment custom-title ai-title agent-name
    agent-color agent-setting last-prompt permission-mode mode pr-link worktree-state tag task-summary
    content-replacement speculation-accept marble-origami-commit marble-origami-snapshot attribution-snapshot started
    result bridge-session
    """.split()  # noqa: SIM905 - a list of quoted words would be three times as long
)
_NO_PROMPT: Final = ("<local-command-", "<bash-stdout>", "<bash-stderr>", "<task-notification>", "Caveat: ")
_INTERRUPTED: Final = "[Request interrupted"
_DECLINED: Final = ("The user doesn't want to ", "The user rejected", "User rejected", "[Request interrupted")
_CANCELLED: Final = LazyPattern(r"(?:<tool_use_error>|Error: )?\s*(?:Cancelled: parallel tool call|Sibling tool call)")
_MS: Final = 1_000_000


def claude_turns(path: Path, counts: TranscriptCounts) -> Iterator[RecordedTurn]:
    """Yield the turns in one file."""
    conversations: dict[str, TurnRecorder] = {}
    root_of: dict[str, str] = {}
    for record in json_lines(path, counts):
        kind = record_text(record, "type")
        queued = _queued_words(record) if kind == "attachment" else ""
        if kind not in {"user", "assistant"} and not queued:
            if kind in _IGNORED:
                counts.records += 1
            else:
                counts.add_unknown(AGENT, kind)
            continue
        counts.records += 1
        at_ns = iso_ns(record.get("timestamp"))
        if at_ns is None:
            counts.untimed += 1
            continue
        recorder = _recorder(record, conversations.setdefault(_chain(record, root_of), TurnRecorder(AGENT, path.stem)))
        if kind == "assistant":
            _assistant(record, at_ns, recorder)
            continue
        ended = recorder.said(at_ns, queued) if queued else _user(record, at_ns, recorder)
        if ended is not None:
            yield ended
    for recorder in conversations.values():
        last = recorder.close()
        if last is not None:
            yield last


def _recorder(record: Mapping[str, Any], recorder: TurnRecorder) -> TurnRecorder:
    """Return *recorder* with the facts about the session that each record repeats."""
    recorder.session = record_text(record, "sessionId") or recorder.session
    recorder.project = record_text(record, "cwd") or recorder.project
    if isinstance(record.get("permissionMode"), str):
        recorder.asks_first = record["permissionMode"] != "bypassPermissions"
    return recorder


def _chain(record: Mapping[str, Any], root_of: dict[str, str]) -> str:
    """Return what identifies the conversation of a record: empty for the main one, else a sub-agent's."""
    if record.get("isSidechain") is not True:
        return ""
    agent = record_text(record, "agentId")
    if agent:
        return agent
    uuid = record_text(record, "uuid")
    root = root_of.get(record_text(record, "parentUuid"), uuid)
    root_of[uuid] = root
    return root or "sidechain"


def _queued_words(record: Mapping[str, Any]) -> str:
    """Return what the person wrote while the agent worked; empty if an attachment is something else."""
    attachment = record_part(record, "attachment")
    by_person = record_text(record_part(attachment, "origin"), "kind") in {"", "human"}
    if attachment.get("type") != "queued_command" or attachment.get("isMeta") is True or not by_person:
        return ""
    words = content_text(attachment.get("prompt")) if attachment.get("commandMode", "prompt") == "prompt" else ""
    return "" if words.startswith(_NO_PROMPT) else words


def _user(record: Mapping[str, Any], at_ns: int, recorder: TurnRecorder) -> RecordedTurn | None:
    message = record_part(record, "message")
    results = [block for block in record_list(message, "content") if block.get("type") == "tool_result"]
    for block in results:
        _result(record, block, at_ns, recorder, alone=len(results) == 1)
    words = content_text(message.get("content"))
    if results or record.get("isMeta") is True or not words or words.startswith(_NO_PROMPT):
        return None
    if words.startswith(_INTERRUPTED):
        return recorder.close()
    return recorder.said(at_ns, words)


def _result(
    record: Mapping[str, Any], block: Mapping[str, Any], at_ns: int, recorder: TurnRecorder, *, alone: bool
) -> None:
    text = content_text(block.get("content"))
    details = record_part(record, "toolUseResult") if alone else {}
    took_ms = record_number(details, "durationMs", "totalDurationMs")
    call = recorder.returned(
        at_ns,
        record_text(block, "tool_use_id"),
        text or block.get("content"),
        failed=block.get("is_error") is True,
        took_ns=None if took_ms is None else took_ms * _MS,
    )
    if call is not None:
        call.cancelled = call.failed and _CANCELLED.match(text) is not None
        call.declined = text.startswith(_DECLINED)


def _assistant(record: Mapping[str, Any], at_ns: int, recorder: TurnRecorder) -> None:
    message = record_part(record, "message")
    if record.get("isApiErrorMessage") is True or record_text(message, "model") == "<synthetic>":
        return
    key = record_text(message, "id") or record_text(record, "requestId", "uuid")
    usage = record_part(message, "usage")
    read = record_number(usage, "cache_read_input_tokens") or 0
    plain = record_number(usage, "input_tokens")
    recorder.replied(
        at_ns,
        key,
        input_tokens=None
        if plain is None
        else plain + read + (record_number(usage, "cache_creation_input_tokens") or 0),
        cached_tokens=read,
    )
    for block in record_list(message, "content"):
        if block.get("type") == "text":
            recorder.wrote(key, record_text(block, "text"))
        elif block.get("type") == "tool_use":
            recorder.asked(at_ns, key, record_text(block, "id"), record_text(block, "name"), block.get("input"))

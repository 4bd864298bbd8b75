"""
Codex's transcripts: ``sessions/<year>/<month>/<day>/rollout-*.jsonl``.

Responses have no id. A response ends where a model's item follows a result; counts of tokens come once a response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_parallelism.patterns import LazyPattern

from .agent_turns import AgentName, RecordedTurn, TurnRecorder
from .record_fields import (
    content_text,
    decoded_json,
    iso_ns,
    json_lines,
    record_number,
    record_part,
    record_text,
    seconds_ns,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from .agent_turns import TranscriptCounts

AGENT: Final[AgentName] = "codex"
_WRAPPERS: Final = frozenset({"session_meta", "turn_context", "response_item", "event_msg"})
_IGNORED: Final = frozenset({"compacted", "inter_agent_communication", "world_state"})
_ITEMS_IGNORED: Final = frozenset(
    """
    web_search_call image_generation_call tool_search_call tool_search_output compaction compaction_summary
    context_compaction ghost_snapshot additional_tools other agent_message
    """.split()  # noqa: SIM905 - a list of quoted words would be three times as long
)
_EVENTS_IGNORED: Final = frozenset(
    """
    agent_message agent_reasoning agent_reasoning_raw_content agent_reasoning_section_break entered_review_mode
    exited_review_mode thread_rolled_back thread_goal_updated thread_name_updated context_compacted web_search_end
    image_generation_end sub_agent_activity item_completed error warning stream_error plan_update view_image_tool_call
    turn_diff background_event session_configured guardian_assessment exec_command_begin patch_apply_begin
    mcp_tool_call_begin dynamic_tool_call_request collab_agent_spawn_end collab_agent_interaction_end collab_waiting_end
    collab_close_end collab_resume_end thread_settings_applied undo_completed undo_started
    """.split()  # noqa: SIM905 - likewise
)
_STARTS: Final = frozenset({"task_started", "turn_started"})
_ENDS: Final = frozenset({"task_complete", "turn_complete", "turn_aborted", "shutdown_complete"})
_RAN: Final = frozenset({"mcp_tool_call_end", "exec_command_end", "patch_apply_end", "dynamic_tool_call_response"})
_ASKS: Final = frozenset({"function_call", "custom_tool_call", "local_shell_call"})
_ANSWERS: Final = frozenset({"function_call_output", "custom_tool_call_output"})
_NO_PROMPT: Final = ("<", "# AGENTS.md instructions")
_WALL_TIME: Final = LazyPattern(r"^Wall time: (\d+(?:\.\d+)?) seconds?$")
_EXIT_CODE: Final = LazyPattern(r"^(?:Exit code:|Process exited with code) (-?\d+)$")
_DECLINED: Final = ("rejected by user", "aborted by user", "exec command rejected by user")
_LONGEST_HEAD: Final = 400
"""What Codex writes before a command's output is no longer than this."""

_SAME_TIME_NS: Final = 200_000_000


def codex_turns(path: Path, counts: TranscriptCounts) -> Iterator[RecordedTurn]:
    """Yield the turns in one file."""
    reader = _Rollout(path.stem)
    for record in json_lines(path, counts):
        kind = record_text(record, "type")
        if kind not in _WRAPPERS:
            if kind in _IGNORED or (not kind and ("record_type" in record or "instructions" in record)):
                counts.records += 1
            elif kind in _ASKS | _ANSWERS or kind in {"message", "reasoning"}:
                counts.untimed += 1  # earlier versions wrote items without a time
            else:
                counts.add_unknown(AGENT, kind)
            continue
        payload = record_part(record, "payload")
        if kind == "session_meta":
            counts.records += 1
            reader.meta(payload)
            continue
        at_ns = iso_ns(record.get("timestamp"))
        if at_ns is None:
            counts.untimed += 1
            continue
        known, ended = reader.add(kind, payload, at_ns)
        if known:
            counts.records += 1
        else:
            counts.add_unknown(AGENT, payload.get("type"))
        if ended is not None:
            yield ended
    ended = reader.recorder.close()
    if ended is not None:
        yield ended


class _Rollout:
    def __init__(self, session: str) -> None:
        self.recorder = TurnRecorder(AGENT, session)
        self._response = 0
        self._answered_ns = 0
        self._counted = False

    def meta(self, payload: Mapping[str, Any]) -> None:
        inner = record_part(payload, "meta") or payload
        self.recorder.project = record_text(inner, "cwd") or self.recorder.project

    def add(self, kind: str, payload: Mapping[str, Any], at_ns: int) -> tuple[bool, RecordedTurn | None]:
        """Return whether the record is of a known kind, and the turn that it ends."""
        if kind == "turn_context":
            self.recorder.project = record_text(payload, "cwd") or self.recorder.project
            self.recorder.asks_first = record_text(payload, "approval_policy") != "never"
            return True, None
        inner = record_text(payload, "type")
        if kind == "event_msg":
            return self._event(inner, payload, at_ns)
        if inner == "message" and payload.get("role") == "user":
            words = content_text(payload.get("content"))
            told = not words or words.startswith(_NO_PROMPT)
            return True, None if told else self._said(at_ns, words)
        if inner in {"message", "reasoning"}:
            if inner == "reasoning" or payload.get("role") == "assistant":
                key = self._key(at_ns)
                self.recorder.replied(at_ns, key)
                self.recorder.wrote(key, content_text(payload.get("content")) if inner == "message" else "")
        elif inner in _ASKS:
            self._ask(payload, at_ns)
        elif inner in _ANSWERS:
            self._answer(payload, at_ns)
        else:
            return inner in _ITEMS_IGNORED, None
        return True, None

    def _event(self, inner: str, payload: Mapping[str, Any], at_ns: int) -> tuple[bool, RecordedTurn | None]:
        if inner == "user_message":
            return True, self._said(at_ns, record_text(payload, "message"))
        if inner in _ENDS:
            return True, self.recorder.close()
        if inner == "token_count":
            usage = record_part(payload, "info", "last_token_usage")
            self.recorder.used(record_number(usage, "input_tokens"), record_number(usage, "cached_input_tokens"))
            self._counted = True
        elif inner in _RAN:
            self.recorder.ran(record_text(payload, "call_id"), _duration(payload.get("duration")))
        return inner in _RAN | _STARTS | _EVENTS_IGNORED or inner == "token_count", None

    def _said(self, at_ns: int, words: str) -> RecordedTurn | None:
        self._answered_ns = 0
        return self.recorder.said(at_ns, words)

    def _key(self, at_ns: int) -> int:
        """Return the number of the response that an item of the model belongs to."""
        if self._answered_ns and (self._counted or at_ns - self._answered_ns >= _SAME_TIME_NS):
            self._response += 1
            self._answered_ns = 0
            self._counted = False
        return self._response

    def _ask(self, payload: Mapping[str, Any], at_ns: int) -> None:
        arguments: Any = payload.get("arguments", payload.get("input", payload.get("action")))
        if isinstance(arguments, str):
            found = decoded_json(arguments)
            arguments = found if isinstance(found, dict) else {"input": arguments}
        tool = record_text(payload, "name") or "local_shell"
        space = record_text(payload, "namespace")
        call_id = record_text(payload, "call_id", "id")
        self.recorder.asked(at_ns, self._key(at_ns), call_id, f"{space}__{tool}" if space else tool, arguments)

    def _answer(self, payload: Mapping[str, Any], at_ns: int) -> None:
        if not self._answered_ns:
            self._counted = False
        self._answered_ns = at_ns
        output = payload.get("output")
        text = content_text(output.get("content") if isinstance(output, dict) else output)
        failed = isinstance(output, dict) and output.get("success") is False
        result: Any = text
        found = decoded_json(text) if text.startswith("{") else None
        if isinstance(found, dict) and isinstance(found.get("metadata"), dict):
            took_ns = seconds_ns(found["metadata"].get("duration_seconds"))
            failed = failed or found["metadata"].get("exit_code", 0) != 0
            result = found.get("output")
        else:
            head = text[:_LONGEST_HEAD].splitlines()
            wall = next((match[1] for line in head if (match := _WALL_TIME.match(line))), None)
            code = next((match[1] for line in head if (match := _EXIT_CODE.match(line))), "0")
            took_ns, failed = None if wall is None else seconds_ns(float(wall)), failed or code != "0"
            if wall is not None:
                before, found_output, output_only = f"{text}\n".partition("\nOutput:\n")
                result = output_only.rstrip("\n") if found_output and len(before) < _LONGEST_HEAD else text
        call = self.recorder.returned(at_ns, record_text(payload, "call_id"), result, failed=failed, took_ns=took_ns)
        if call is not None:
            call.declined = text.startswith(_DECLINED)


def _duration(value: object) -> int | None:
    """Return the nanoseconds of a duration: seconds and nanoseconds, or a number of seconds."""
    if isinstance(value, dict):
        whole, rest = record_number(value, "secs"), record_number(value, "nanos")
        return None if whole is None or whole > 10**7 else whole * 10**9 + (rest or 0)
    return seconds_ns(value)

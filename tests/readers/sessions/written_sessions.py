"""
Sessions of coding agents in the shapes that each agent writes, two versions of each; everything follows from a seed.

A plan says what the agent does, without any agent's words: rounds of reads, searches, commands, edits and questions.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

Kind: TypeAlias = Literal["read", "search", "command", "edit", "ask"]
START = datetime(2026, 11, 2, 9, tzinfo=UTC)
PROJECT = "/srv/shop"


@dataclass
class Ask:
    """A call: what kind, its argument, its result, and how long it ran, in seconds."""

    kind: Kind
    about: str
    result: str
    took: float = 1.0
    failed: bool = False


@dataclass
class Round:
    """A response: the model's time before it, in seconds, its calls, which start together, and what it says."""

    model: float
    asks: list[Ask]
    text: str = "Let me look."


@dataclass
class Plan:
    """A turn: what the person said, and the rounds; *tokens* is the input of each request, *cached* a part of it."""

    words: str
    rounds: list[Round]
    tokens: int = 1_000
    cached: int = 600


@dataclass
class Session:
    """Several turns, one hour apart, with ids that follow from a seed."""

    plans: Sequence[Plan]
    project: str = PROJECT
    start: datetime = START
    ids: Random = field(default_factory=lambda: Random(1))  # noqa: S311 - a sample, no secret

    def id(self, prefix: str = "") -> str:
        return f"{prefix}{self.ids.getrandbits(96):024x}"

    def begins(self, number: int) -> datetime:
        return self.start + timedelta(hours=number)


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def after(at: datetime, seconds: float) -> datetime:
    return at + timedelta(seconds=seconds)


def lines(records: Sequence[Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


# Claude Code

_CLAUDE: dict[Kind, Callable[[Ask], tuple[str, dict[str, Any]]]] = {
    "read": lambda ask: ("Read", {"file_path": ask.about}),
    "search": lambda ask: ("Grep", {"pattern": ask.about, "output_mode": "content"}),
    "command": lambda ask: ("Bash", {"command": ask.about, "description": "Runs a command"}),
    "edit": lambda ask: ("Edit", {"file_path": ask.about, "old_string": "x", "new_string": "y"}),
    "ask": lambda ask: ("AskUserQuestion", {"questions": [{"question": ask.about}]}),
}


def claude(home: Path, session: Session, *, version: str) -> Path:
    """Write a transcript of Claude Code: 1.0, or 2.1 with the records that came since."""
    new = version >= "2"
    name = session.id()
    records: list[dict[str, Any]] = []
    last: str | None = None

    def add(kind: str, at: datetime, **fields: Any) -> None:
        nonlocal last
        uuid = session.id()
        head = {"parentUuid": last, "isSidechain": False, "userType": "external", "cwd": session.project}
        record = {**head, "sessionId": name, "version": version, "type": kind, "uuid": uuid, "timestamp": iso(at)}
        records.append({**record, **({"gitBranch": "main", "slug": "a-plan"} if new else {}), **fields})
        last = uuid

    if new:
        records.append({"type": "queue-operation", "operation": "enqueue", "timestamp": iso(START), "sessionId": name})
    else:
        records.append({"type": "summary", "summary": "A session", "leafUuid": session.id()})
    for number, plan in enumerate(session.plans):
        at = session.begins(number)
        mode = {"permissionMode": "default"} if new else {}
        add("user", at, message={"role": "user", "content": plan.words}, **mode)
        if new:
            records.append({"type": "file-history-snapshot", "messageId": session.id(), "snapshot": {}})
        for each in [*plan.rounds, Round(1.0, [])]:
            at = after(at, each.model)
            usage = {
                "input_tokens": plan.tokens - plan.cached - 100,
                "cache_creation_input_tokens": 100,
                "cache_read_input_tokens": plan.cached,
                "output_tokens": 5,
            }
            message = {"id": session.id("msg_"), "type": "message", "role": "assistant", "model": "claude-opus-4-5"}
            message |= {"stop_reason": None, "usage": usage}
            blocks: list[dict[str, Any]] = [{"type": "text", "text": each.text}]
            asked = []
            for ask in each.asks:
                tool, given = _CLAUDE[ask.kind](ask)
                asked.append((session.id("toolu_"), ask))
                blocks.append({"type": "tool_use", "id": asked[-1][0], "name": tool, "input": given})
            for block in blocks:
                add("assistant", at, message={**message, "content": [block]}, requestId=session.id("req_"))
            for call_id, ask in sorted(asked, key=lambda pair: pair[1].took):
                block = {"tool_use_id": call_id, "type": "tool_result", "content": ask.result}
                block |= {"is_error": True} if ask.failed else {}
                extra = {"sourceToolAssistantUUID": last} if new else {}
                details: Any = f"Error: {ask.result}" if ask.failed else {"type": "text", "stdout": ask.result}
                message_back = {"role": "user", "content": [block]}
                add("user", after(at, ask.took), message=message_back, toolUseResult=details, **extra)
            at = after(at, max((ask.took for ask in each.asks), default=0))
        if new:
            add("system", at, subtype="turn_duration", durationMs=1, isMeta=False)
    folder = session.project.replace("/", "-")
    return write(home / ".claude" / "projects" / folder / f"{name}.jsonl", lines(records))


# Codex

_CODEX: dict[Kind, Callable[[Ask], str]] = {
    "read": lambda ask: f"cat {ask.about}",
    "search": lambda ask: f"rg -n {ask.about}",
    "command": lambda ask: ask.about,
}


def codex(home: Path, session: Session, *, version: str) -> Path:
    """Write a rollout of Codex: 0.46 with ``shell``, or 0.130 with ``exec_command`` and turn events."""
    new = version >= "0.1"
    name = session.id()
    records: list[dict[str, Any]] = []

    def add(at: datetime, kind: str, **payload: Any) -> None:
        records.append({"timestamp": iso(at), "type": kind, "payload": payload})

    meta = {"id": name, "timestamp": iso(START), "cwd": session.project, "cli_version": version, "source": "cli"}
    add(session.start, "session_meta", **meta, originator="codex_cli_rs")
    environment = f"<environment_context><cwd>{session.project}</cwd></environment_context>"
    context = [{"type": "input_text", "text": environment}]
    add(session.start, "response_item", type="message", role="user", content=context)
    for number, plan in enumerate(session.plans):
        at = session.begins(number)
        if new:
            add(at, "event_msg", type="task_started", turn_id=session.id(), model_context_window=1)
        add(at, "turn_context", cwd=session.project, approval_policy="on-request", model="gpt-5.1-codex")
        said = [{"type": "input_text", "text": plan.words}]
        add(at, "response_item", type="message", role="user", content=said)
        add(at, "event_msg", type="user_message", message=plan.words, images=[])
        for each in [*plan.rounds, Round(1.0, [])]:
            at = after(at, each.model)
            add(at, "event_msg", type="agent_reasoning", text="**Looking**")
            add(at, "response_item", type="reasoning", summary=[], content=None, encrypted_content="gAAA")
            asked = []
            wrote = [{"type": "output_text", "text": each.text}]
            add(at, "response_item", type="message", role="assistant", content=wrote)
            for ask in each.asks:
                asked.append((session.id("call_"), ask))
                add(at, "response_item", **_codex_call(asked[-1][0], ask, new=new))
            usage = {"input_tokens": plan.tokens, "cached_input_tokens": plan.cached, "output_tokens": 5}
            add(at, "event_msg", type="token_count", info={"last_token_usage": usage, "total_token_usage": usage})
            for call_id, ask in sorted(asked, key=lambda pair: pair[1].took):
                done = after(at, ask.took)
                kind = "custom_tool_call_output" if ask.kind == "edit" else "function_call_output"
                add(done, "response_item", type=kind, call_id=call_id, output=_codex_output(ask, new=new))
            at = after(at, max((ask.took for ask in each.asks), default=0))
        text = [{"type": "output_text", "text": "Done."}]
        add(at, "response_item", type="message", role="assistant", content=text)
        add(at, "event_msg", type="agent_message", message="Done.")
        if new:
            add(at, "event_msg", type="task_complete", turn_id=session.id(), last_agent_message="Done.")
    file = f"rollout-2026-11-02T09-00-00-{name}.jsonl"
    return write(home / ".codex" / "sessions" / "2026" / "11" / "02" / file, lines(records))


def _codex_call(call_id: str, ask: Ask, *, new: bool) -> dict[str, Any]:
    if ask.kind == "edit":
        patch = f"*** Begin Patch\n*** Update File: {ask.about}\n@@\n-x\n+y\n*** End Patch\n"
        return {
            "type": "custom_tool_call",
            "status": "completed",
            "call_id": call_id,
            "name": "apply_patch",
            "input": patch,
        }
    if ask.kind == "ask":
        given: dict[str, Any] = {"questions": [{"question": ask.about}]}
        return {
            "type": "function_call",
            "name": "request_user_input",
            "arguments": json.dumps(given),
            "call_id": call_id,
        }
    command = _CODEX[ask.kind](ask)
    given = {"cmd": command} if new else {"command": ["bash", "-lc", command], "workdir": PROJECT}
    name = "exec_command" if new else "shell"
    return {"type": "function_call", "name": name, "arguments": json.dumps(given), "call_id": call_id}


def _codex_output(ask: Ask, *, new: bool) -> str:
    code = int(ask.failed)
    if ask.kind in {"edit", "ask"}:
        return ask.result
    if new:
        return f"Chunk ID: 1\nWall time: {ask.took:.4f} seconds\nProcess exited with code {code}\nOutput:\n{ask.result}"
    metadata = {"exit_code": code, "duration_seconds": ask.took}
    return json.dumps({"output": ask.result, "metadata": metadata})


# Gemini CLI

_GEMINI: dict[Kind, Callable[[Ask], tuple[str, dict[str, Any]]]] = {
    "read": lambda ask: ("read_file", {"file_path": ask.about}),
    "search": lambda ask: ("grep_search", {"pattern": ask.about}),
    "command": lambda ask: ("run_shell_command", {"command": ask.about}),
    "edit": lambda ask: ("replace", {"file_path": ask.about, "old_string": "x", "new_string": "y"}),
    "ask": lambda ask: ("ask_user", {"questions": [{"question": ask.about}]}),
}


def gemini(home: Path, session: Session, *, version: str) -> Path:
    """Write a chat of Gemini CLI: 0.20 as one document, or 0.40 with a record a line, messages written twice."""
    new = version >= "0.4"
    messages: list[dict[str, Any]] = []
    for number, plan in enumerate(session.plans):
        at = session.begins(number)
        content: Any = [{"text": plan.words}] if new else plan.words
        messages.append({"id": session.id(), "timestamp": iso(at), "type": "user", "content": content})
        for each in [*plan.rounds, Round(1.0, [])]:
            at = after(at, each.model)
            calls = []
            for ask in each.asks:
                tool, given = _GEMINI[ask.kind](ask)
                call_id = session.id(f"{tool}-")
                back = {"id": call_id, "name": tool, "response": {"output": ask.result}}
                calls.append(
                    {
                        "id": call_id,
                        "name": tool,
                        "args": given,
                        "result": [{"functionResponse": back}],
                        "status": "error" if ask.failed else "success",
                        "timestamp": iso(after(at, ask.took)),
                        "displayName": tool,
                        "description": "A tool",
                        "renderOutputAsMarkdown": False,
                    }
                )
            tokens = {"input": plan.tokens, "output": 5, "cached": plan.cached, "thoughts": 0, "tool": 0, "total": 1}
            message = {"id": session.id(), "timestamp": iso(at), "type": "gemini", "content": each.text}
            message |= {"thoughts": [], "tokens": tokens, "model": "gemini-3-pro"}
            messages.append({**message, **({"toolCalls": calls} if calls else {})})
            at = after(at, max((ask.took for ask in each.asks), default=0))
    head = {"sessionId": session.id(), "projectHash": "5" * 64, "startTime": iso(START), "lastUpdated": iso(START)}
    project = home / ".gemini" / "tmp" / ("shop" if new else "5" * 64)
    file = project / "chats" / f"session-2026-11-02T09-00-{session.id()[:8]}"
    if not new:
        return write(file.with_name(file.name + ".json"), json.dumps({**head, "messages": messages}, indent=2))
    write(project / ".project_root", session.project)
    records: list[dict[str, Any]] = [{**head, "kind": "main"}]
    for message in messages:
        # The message is written as it comes, and again with the calls when they are done.
        without = {key: value for key, value in message.items() if key not in {"toolCalls", "tokens"}}
        records += [without, message] if message["type"] == "gemini" else [message]
        records.append({"$set": {"lastUpdated": message["timestamp"]}})
    return write(file.with_name(file.name + ".jsonl"), lines(records))


# OpenCode

_OPENCODE: dict[Kind, Callable[[Ask], tuple[str, dict[str, Any]]]] = {
    "read": lambda ask: ("read", {"filePath": ask.about}),
    "search": lambda ask: ("grep", {"pattern": ask.about}),
    "command": lambda ask: ("bash", {"command": ask.about, "description": "Runs a command"}),
    "edit": lambda ask: ("edit", {"filePath": ask.about, "oldString": "x", "newString": "y"}),
    "ask": lambda ask: ("question", {"questions": [{"question": ask.about}]}),
}


def opencode(home: Path, session: Session, *, version: str) -> Path:
    """Write a session of OpenCode: 1.0 as files, or 1.2 in a database."""
    messages: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    name = session.id("ses_")
    for number, plan in enumerate(session.plans):
        at = session.begins(number)
        user = {"role": "user", "time": {"created": ms(at)}, "agent": "build"}
        messages.append((user, [{"type": "text", "text": plan.words}]))
        for each in [*plan.rounds, Round(1.0, [])]:
            created = at
            at = after(at, each.model)
            tokens = {
                "input": plan.tokens - plan.cached - 100,
                "output": 5,
                "reasoning": 0,
                "cache": {"read": plan.cached, "write": 100},
            }
            parts: list[dict[str, Any]] = [{"type": "step-start"}, {"type": "text", "text": each.text}]
            for ask in each.asks:
                tool, given = _OPENCODE[ask.kind](ask)
                state = {"status": "error", "error": ask.result} if ask.failed else {"status": "completed"}
                state |= {} if ask.failed else {"output": ask.result, "title": "", "metadata": {}}
                state |= {"input": given, "time": {"start": ms(at), "end": ms(after(at, ask.took))}}
                parts.append({"type": "tool", "callID": session.id("call_"), "tool": tool, "state": state})
            parts.append({"type": "step-finish", "reason": "tool-calls", "tokens": tokens, "cost": 0})
            at = after(at, max((ask.took for ask in each.asks), default=0))
            message = {"role": "assistant", "time": {"created": ms(created), "completed": ms(at)}, "tokens": tokens}
            messages.append(({**message, "path": {"cwd": session.project}, "modelID": "a-model"}, parts))
    root = home / ".local" / "share" / "opencode"
    for number, (message, parts) in enumerate(messages):
        message |= {"id": f"msg_{number:06}{session.id()}", "sessionID": name}
        for at_part, part in enumerate(parts):
            part |= {"id": f"prt_{at_part:06}{session.id()}", "messageID": message["id"], "sessionID": name}
    info = {"id": name, "projectID": "global", "directory": session.project, "title": "A session"}
    return (_database if version >= "1.2" else _files)(root, {**info, "version": version}, messages)


def _files(root: Path, info: dict[str, Any], messages: Sequence[tuple[dict[str, Any], list[dict[str, Any]]]]) -> Path:
    storage = root / "storage"
    for message, parts in messages:
        write(storage / "message" / info["id"] / f"{message['id']}.json", json.dumps(message))
        for part in parts:
            write(storage / "part" / message["id"] / f"{part['id']}.json", json.dumps(part))
    return write(storage / "session" / "global" / f"{info['id']}.json", json.dumps(info))


def _database(
    root: Path, info: dict[str, Any], messages: Sequence[tuple[dict[str, Any], list[dict[str, Any]]]]
) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    path = root / "opencode.db"
    database = sqlite3.connect(path)
    with database:
        database.execute("CREATE TABLE IF NOT EXISTS session (id TEXT PRIMARY KEY, project_id TEXT, directory TEXT)")
        for table, above in (("message", "session_id TEXT"), ("part", "message_id TEXT, session_id TEXT")):
            database.execute(
                f"CREATE TABLE IF NOT EXISTS {table} (id TEXT PRIMARY KEY, {above}, time_created INTEGER, data TEXT)"
            )
        database.execute("INSERT INTO session VALUES (?, ?, ?)", (info["id"], "global", info["directory"]))
        for message, parts in messages:
            created = message["time"]["created"]
            data = json.dumps({key: value for key, value in message.items() if key not in {"id", "sessionID"}})
            database.execute("INSERT INTO message VALUES (?, ?, ?, ?)", (message["id"], info["id"], created, data))
            for part in parts:
                text = json.dumps({key: part[key] for key in part.keys() - {"id", "messageID", "sessionID"}})
                row = (part["id"], message["id"], info["id"], created, text)
                database.execute("INSERT INTO part VALUES (?, ?, ?, ?, ?)", row)
    database.close()
    return path


WRITERS: dict[str, Callable[[Path, Session], Path]] = {
    "claude-code 1.0": lambda home, session: claude(home, session, version="1.0.3"),
    "claude-code 2.1": lambda home, session: claude(home, session, version="2.1.144"),
    "codex 0.46": lambda home, session: codex(home, session, version="0.046.0"),
    "codex 0.130": lambda home, session: codex(home, session, version="0.130.0"),
    "gemini-cli 0.20": lambda home, session: gemini(home, session, version="0.20.0"),
    "gemini-cli 0.40": lambda home, session: gemini(home, session, version="0.40.0"),
    "opencode 1.0": lambda home, session: opencode(home, session, version="1.0.150"),
    "opencode 1.2": lambda home, session: opencode(home, session, version="1.2.10"),
}

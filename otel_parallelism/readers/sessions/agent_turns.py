"""
One turn of a coding agent, and the recorder that collects it from the records of a transcript.

A transcript tells when a person said something, when a piece of a response was there, which calls it asked for, and
when their results were there. All agents' transcripts tell this, in their own words.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, Literal, TypeAlias

import msgspec

AgentName: TypeAlias = Literal["claude-code", "codex", "gemini-cli", "opencode"]

LONGEST_LINE: Final = 64_000_000
MOST_KINDS: Final = 200
OTHER_KINDS: Final = "(others)"


class AskedTool(msgspec.Struct):
    """
    A call that a response asked for.

    Attributes:
        call_id: Its id.
        tool: The tool.
        arguments: Plain data, or JSON in a string.
        start_ns: When the response asked for it.
        end_ns: When its result was there; 0 if there is none.
        result: What the model was given.
        failed: Whether the transcript says that it failed.
        cancelled: Whether it was cancelled because another call of the response failed.
        declined: Whether the person declined it, or the whole call was a question to the person.
        took_ns: How long it ran, if the transcript tells; None if not.
        may_wait: Whether the agent may have asked the person for a permission first, and the transcript is silent.
    """

    call_id: str
    tool: str
    arguments: Any
    start_ns: int
    end_ns: int = 0
    result: Any = None
    failed: bool = False
    cancelled: bool = False
    declined: bool = False
    took_ns: int | None = None
    may_wait: bool = True


class ModelResponse(msgspec.Struct):
    """One response of the model: when it was asked for and complete, its calls, its texts and its input tokens."""

    start_ns: int
    end_ns: int
    calls: list[AskedTool]
    input_tokens: int | None = None
    cached_tokens: int | None = None
    texts: list[str] = []


class RecordedTurn(msgspec.Struct):
    """What an agent did from one message of the person to the last record before the next."""

    agent: AgentName
    session: str
    project: str
    words: str
    start_ns: int
    end_ns: int
    responses: list[ModelResponse]


class TranscriptCounts:
    """
    What was read: the files, their records, those that are broken, without a time, or of a kind that is not known.

    Attributes:
        files: Files, or sessions in a database.
        records: Records of known kinds.
        broken: Lines and values that are no records.
        untimed: Records that need a time and have none.
        unknown: How many records there are of each unknown kind.
        unreadable: Files that could not be read, with the reason.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self.files = self.records = self.broken = self.untimed = 0
        self.unknown: Counter[str] = Counter()
        self.unreadable: list[str] = []

    def add_unknown(self, agent: AgentName, kind: object) -> None:
        """Count a record whose *kind* is not known."""
        name = f"{agent}: {kind}"[:80] if isinstance(kind, str) and kind else f"{agent}: (no type)"
        self.unknown[name if name in self.unknown or len(self.unknown) < MOST_KINDS else OTHER_KINDS] += 1


class TurnRecorder:
    """
    Collects the records of one conversation as turns.

    Args:
        agent: The agent.
        session: The id of the session.
    """

    def __init__(self, agent: AgentName, session: str) -> None:
        """Start without an open turn."""
        self._agent: AgentName = agent
        self.session = session
        self.project = ""
        self.asks_first = True
        self._turn: RecordedTurn | None = None
        self._key: object = None
        self._latest_ns = 0
        self._open: dict[str, AskedTool] = {}
        self._texts: dict[object, list[str]] = {}

    def said(self, at_ns: int, words: str) -> RecordedTurn | None:
        """Begin a turn with what the person said; returns the turn before."""
        turn = self._turn
        if turn is not None and not turn.responses and turn.words == words:
            return None  # the same message, recorded in two forms
        before = self.close()
        self._turn = RecordedTurn(self._agent, self.session, self.project, words, at_ns, at_ns, [])
        self._latest_ns = at_ns
        return before

    def replied(
        self, at_ns: int, key: object, *, input_tokens: int | None = None, cached_tokens: int | None = None
    ) -> ModelResponse | None:
        """Add a piece of the response that *key* identifies; None if no turn is open."""
        turn = self._turn
        if turn is None:
            return None
        if not turn.responses or key != self._key:
            texts = self._texts.setdefault(key, [])
            turn.responses.append(ModelResponse(min(self._latest_ns, at_ns), at_ns, [], texts=texts))
            self._key = key
        response = turn.responses[-1]
        response.end_ns = max(response.end_ns, at_ns)
        if input_tokens is not None:
            response.input_tokens, response.cached_tokens = input_tokens, cached_tokens
        turn.end_ns = max(turn.end_ns, at_ns)
        return response

    def wrote(self, key: object, text: str) -> None:
        """Add a text of the response that *key* identifies, before or after the other pieces of it."""
        if self._turn is not None and text:
            self._texts.setdefault(key, []).append(text)

    def used(self, input_tokens: int | None, cached_tokens: int | None) -> None:
        """Add the tokens of the latest response."""
        if self._turn is not None and self._turn.responses and input_tokens is not None:
            response = self._turn.responses[-1]
            response.input_tokens, response.cached_tokens = input_tokens, cached_tokens

    def asked(self, at_ns: int, key: object, call_id: str, tool: str, arguments: Any) -> AskedTool | None:
        """Add a call of the response that *key* identifies; None if no turn is open."""
        response = self.replied(at_ns, key)
        if response is None or call_id in self._open:
            return None
        call = AskedTool(call_id, tool, arguments, at_ns, may_wait=self.asks_first)
        response.calls.append(call)
        self._open[call_id] = call
        return call

    def returned(
        self, at_ns: int, call_id: str, result: Any, *, failed: bool = False, took_ns: int | None = None
    ) -> AskedTool | None:
        """Add the result of a call; returns the call, None if there is none with this id."""
        call = self._open.get(call_id)
        if call is None or self._turn is None or call.end_ns:
            return None
        call.end_ns = max(at_ns, call.start_ns)
        call.result, call.failed = result, failed
        call.took_ns = took_ns if call.took_ns is None else call.took_ns
        self._latest_ns = max(self._latest_ns, call.end_ns)
        self._turn.end_ns = max(self._turn.end_ns, call.end_ns)
        return call

    def ran(self, call_id: str, took_ns: int | None) -> None:
        """Add how long a call ran."""
        call = self._open.get(call_id)
        if call is not None and took_ns is not None:
            call.took_ns = took_ns

    def close(self) -> RecordedTurn | None:
        """End the open turn; returns it if it has a response."""
        turn, self._turn, self._key, self._open, self._texts = self._turn, None, None, {}, {}
        return turn if turn is not None and turn.responses else None

"""
Removes the envelopes that instrumentations put around arguments and results, so that only the tool's data is compared.

LangChain's callbacks add tags and ids that differ in every run, decorators write ``{"args": [], "kwargs": {…}}``, and
protocols return lists of content blocks. Envelopes are recognised by their keys; unknown ones stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from otel_parallelism.patterns import CaselessPattern, LazyPattern

from .content import decoded

_SIGNATURE = frozenset({"args", "kwargs", "sanitize_inputs_outputs"})
_NAMED_CALL = frozenset({"tool_name", "arguments"})
_FUNCTION_RESPONSE = frozenset({"id", "name", "response", "will_continue", "scheduling", "parts"})
# Result envelopes: the keys that identify one, and the keys that may hold the result, highest precedence first.
_RESULTS = (
    (frozenset({"output", "kwargs"}), ("output",)),
    (frozenset({"outputs", "kwargs"}), ("outputs",)),
    (frozenset({"tool_output", "tool_id"}), ("tool_output",)),
    (frozenset({"raw_output", "tool_name"}), ("raw_output", "content", "blocks")),
)
_MCP_FLAGS = frozenset({"isError", "is_error"})
_MCP_STRUCTURED = ("structuredContent", "structured_content", "data")
_MCP_OTHERS = frozenset({"_meta", "meta", "resultType", "type", "tool_use_id"})
"""Fields of a result of MCP that are not shown to the model."""

_AGNO = LazyPattern(r"status='\w+' result=(.*) error=", re.DOTALL)
_STRING = r"(?:'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\")"
# The ``repr`` of LangChain's messages and of MCP's results.
_SHOWN_TEXT = LazyPattern(rf"content=({_STRING}) (?:(?:additional_kwargs|response_metadata|name|id)=|$)")
_AFTER_CONTENT = ("] additional_kwargs=", "] response_metadata=", "] name=", "] id=")
_TEXT_BLOCK = r"TextContent\(type='text', text={}(?:, annotations=None)?(?:, meta=None)?\)(?:, )?"
_SHOWN_RESULT = LazyPattern(
    rf"(?:CallToolResult\()?(?:meta=None,? )?content=\[((?:{_TEXT_BLOCK.format(_STRING)})*+)\],? "
    r"(?:structured_?[cC]ontent=(.*),? )?is_?[eE]rror=False\)?",
    re.DOTALL,
)
_SHOWN_BLOCK = LazyPattern(_TEXT_BLOCK.format(f"({_STRING})"), re.DOTALL)
# Some programs give a tool's result to the model as a message of the user.
_RESULT_OF_A_TOOL = CaselessPattern(
    r"\W*(?:(?:tool|function)[ _-]?(?:call[ _-]?)?(?:results?|outputs?|responses?)\b|observations?:"
    r"|(?:results?|outputs?|response)s? (?:of|from) (?:the )?(?:tool|function|call|[`'\"]?\w+_\w+)\b"
    r"|(?:the )?(?:tool|function) [`'\"]?\w+[`'\"]? (?:returned|responded|output)\b)"
)
_LONGEST_BEGINNING = 100

_DEEPEST = 4
_LONGEST_TAIL = 512
_FAILED = LazyPattern(r'"status": ?"error"')
# Matches only the envelope's own field, at its end: quotes inside content are escaped.
_IS_ERROR = LazyPattern(r'"(?:isError|is_error)": ?true[\s}]*$')
_TAIL = 48


def arguments(value: object) -> object:
    """Return the arguments of a tool call, without envelopes."""
    data = decoded(value)
    for _ in range(_DEEPEST):
        inner = _opened_arguments(data)
        if inner is data:
            break
        data = decoded(inner)
    return data


def result(value: object) -> object:
    """Return the result of a tool call, without envelopes."""
    data = decoded(_shown(value))
    for _ in range(_DEEPEST):
        inner = _opened_result(data)
        if inner is data:
            break
        data = decoded(inner)
    return data


def function_response(value: object) -> object:
    """Return the response inside Google's ``{"id": …, "name": …, "response": …}``."""
    data = decoded(value)
    if isinstance(data, Mapping) and "response" in data and data.keys() <= _FUNCTION_RESPONSE:
        data = data["response"]
    return result(data)


def tool_call_id(value: object) -> str:
    """Return the call id in LangChain's or LlamaIndex's envelope, without decoding the content; empty if none."""
    if isinstance(value, str) and value.startswith('{"tool_name": "'):
        return value.partition('"tool_id": "')[2].partition('"')[0]
    shown = _shown_message(value)
    if shown:
        return shown[1]
    return _tail(value).partition('"')[0]


def tool_failed(value: object) -> bool:
    """Return whether LangChain's, MCP's or LlamaIndex's envelope reports an error, without decoding the content."""
    if not isinstance(value, str):
        return False
    shown = _shown_message(value)
    if shown:
        return " status='error'" in shown[2]
    tail = _tail(value)
    if tail and _FAILED.search(tail):
        return True
    return value[:1] == "{" and "rror" in value[-_TAIL:] and bool(_IS_ERROR.search(value, len(value) - _TAIL))


def tells_of_a_tool(text: object) -> bool:
    """
    Return whether *text*, a message of the user, is the result of a tool.

    >>> tells_of_a_tool("Tool result: 7"), tells_of_a_tool("Observation: rain"), tells_of_a_tool("Tools for wood?")
    (True, True, False)
    """
    return isinstance(text, str) and _RESULT_OF_A_TOOL.match(text[:_LONGEST_BEGINNING])


def _tail(value: object) -> str:
    """Return the text after the envelope's ``"tool_call_id": "``, the last one; quotes inside content are escaped."""
    if not isinstance(value, str) or '"tool_call_id":' not in value:
        return ""
    for key in ('"tool_call_id": "', '"tool_call_id":"'):
        _, found, rest = value.rpartition(key)
        if found and len(rest) <= _LONGEST_TAIL:
            return rest
    return ""


def _shown(value: object) -> object:
    """Return the result in the ``repr`` of an object of Agno, LangChain or MCP; any other value unchanged."""
    if not isinstance(value, str) or not value.startswith(("status='", "content=", "meta=", "CallToolResult(")):
        return value
    agno = _AGNO.match(value)
    if agno:
        return agno[1]
    message = _shown_message(value)
    if message:
        return decoded(message[0])
    found = _SHOWN_RESULT.fullmatch(value)
    if not found:
        return value
    blocks = [{"type": "text", "text": decoded(text)} for text in _SHOWN_BLOCK.findall(found[1])]
    structured = None if found[2] in (None, "None") else decoded(found[2].removesuffix(","))
    return {"content": blocks, "structuredContent": structured, "isError": False}


def _shown_message(value: object) -> tuple[str, str, str] | None:
    """Return the content, the call's id and what follows it in the ``repr`` of a message of LangChain; else None."""
    if not isinstance(value, str) or not value.startswith("content="):
        return None
    before, found, rest = value.rpartition("tool_call_id='")
    call_id, closed, after = rest.partition("'")
    if not (found and call_id and closed and before.endswith(" ")):
        return None
    text = _SHOWN_TEXT.match(before)
    if text:
        return text[1], call_id, after
    ends = max(before.rfind(mark) for mark in _AFTER_CONTENT)
    if ends < 0 and before.endswith("] "):
        ends = len(before) - 2
    return (before[len("content=") : ends + 1], call_id, after) if before.startswith("content=[") and ends > 0 else None


def _opened_arguments(data: object) -> object:
    if isinstance(data, Mapping):
        if "input_str" in data and data.keys() & {"inputs", "tags", "metadata"}:
            inputs = data.get("inputs")
            return data["input_str"] if inputs is None else inputs
        if "kwargs" in data and data.keys() <= _SIGNATURE:
            positional, named = data.get("args"), data["kwargs"]
            if positional and named:
                return {"args": positional, "keywords": named}
            return positional or named
        if data.keys() == _NAMED_CALL:
            return data["arguments"]
    part = _tool_part(data, "tool_call")
    return data if part is None else part.get("arguments", data)


def _opened_result(data: object) -> object:
    if isinstance(data, Mapping):
        return _opened_mapping(data)
    part = _tool_part(data, "tool_call_response")
    if part is not None:
        return part["response"] if "response" in part else part.get("result", data)
    if isinstance(data, list) and data:
        blocks = [_block(item) for item in data]
        if all(block is not None for block in blocks):
            return blocks[0] if len(blocks) == 1 else [decoded(block) for block in blocks]
    return data


def _opened_mapping(data: Mapping[str, object]) -> object:
    keys = data.keys()
    if "lc" in keys or data.get("type") == "tool":  # LangChain's ToolMessage, in one of its two serialisations
        inner = data.get("kwargs", data.get("data"))
        return (inner if isinstance(inner, Mapping) else data).get("content", data)
    for envelope, inside in _RESULTS:
        if envelope <= keys:
            return next((data[key] for key in inside if data.get(key) is not None), data)
    if "content" in keys and not _MCP_FLAGS.isdisjoint(keys):
        return _opened_mcp(data)
    return data["output"] if len(data) == 1 and "output" in keys else data


def _opened_mcp(data: Mapping[str, object]) -> object:
    """
    Return the structured content, the content, or both where they differ.

    A result that reports an error stays as it is. Fields that MCP does not define are kept.
    """
    if any(data.get(flag) for flag in _MCP_FLAGS):
        return data
    content = result(data["content"])
    structured = next((data[key] for key in _MCP_STRUCTURED if data.get(key) is not None), None)
    known = {"content", *_MCP_FLAGS, *_MCP_STRUCTURED, *_MCP_OTHERS}
    more = {key: inner for key, inner in data.items() if key not in known and inner is not None}
    if more:
        return {"content": content, **more} if structured is None else {"content": content, "data": structured, **more}
    if structured is None:
        return content
    told = list(structured.values()) if isinstance(structured, Mapping) and len(structured) == 1 else []
    if content in ([], "", structured, str(structured), *told, *map(str, told)):
        return structured
    return [structured, content]


def _block(item: object) -> object:
    """Return the content of a content block; None if *item* is no block."""
    if not isinstance(item, Mapping):
        return None
    kind = item.get("type")
    if kind == "resource" and isinstance(item.get("resource"), Mapping):
        inside = item["resource"]
        return {**inside, "text": decoded(inside["text"])} if "text" in inside else None
    if (isinstance(kind, str) and kind in {"text", "json", "output_text"}) or len(item) == 1:
        for key in ("text", "json", "content"):
            if item.get(key) is not None:
                return item[key]
    return None


def _tool_part(data: object, kind: str) -> Mapping[str, object] | None:
    """Return the tool part of type *kind* if *data* is one GenAI message with one part."""
    if not (isinstance(data, list) and len(data) == 1 and isinstance(data[0], Mapping)):
        return None
    parts = data[0].get("parts")
    if isinstance(parts, list) and len(parts) == 1 and isinstance(parts[0], Mapping) and parts[0].get("type") == kind:
        return parts[0]
    return None

"""Attributes and events of a call's span that only some calls have: queue time, resource, content, errors."""

from __future__ import annotations

import inspect
import json
import sys
from asyncio import CancelledError
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Span, Status, StatusCode

from otel_parallelism import names
from otel_parallelism.interruptions import traceback_of
from otel_parallelism.tracing.shield import stack_text, swallow
from otel_parallelism.tracing.state.callers import location
from otel_parallelism.tracing.state.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_parallelism.tracing.state.nodes import CallNode
    from otel_parallelism.tracing.state.tool import Tool

LEAST_QUEUE_NS = 1_000_000
"""The shortest time between a call and its body that becomes an attribute."""

_LONGEST_RESOURCE = 1_000


def extra_attributes(node: CallNode, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return all attributes of *node*'s call, and set the node's resource."""
    tool = node.tool
    attributes = dict(tool.attributes)
    if node.call_id:
        attributes[names.TOOL_CALL_ID] = node.call_id
    if node.switch:
        attributes[names.SWITCH] = node.switch
    queue_ns = node.start_ns - node.called_ns
    if queue_ns >= LEAST_QUEUE_NS:
        attributes[names.QUEUE_TIME] = queue_ns / 1e9
    if tool.resource_of is not None:
        node.resource = _resource(tool, args, kwargs)
        if node.resource:
            attributes[names.RESOURCE] = node.resource
    settings = REGISTRY.settings
    if settings.caller_on_calls and node.code is not None:
        caller = location(node.code, node.instruction)
        if caller is not None:
            attributes[names.CALLER_FILE_PATH] = caller.file_path
            attributes[names.CALLER_LINE_NUMBER] = caller.line_number
    if settings.capture_content:
        text = _text(_named(tool, args, kwargs))
        if text is not None:
            attributes[names.TOOL_CALL_ARGUMENTS] = text
    return attributes


def write_result(span: Span, result: Any) -> None:
    """Write a call's *result* on its span. The caller checks that content capture is on."""
    text = _text(result)
    if text is not None:
        span.set_attribute(names.TOOL_CALL_RESULT, text)


def write_error(span: Span, error: BaseException) -> None:
    """
    Record on *span* that its call failed with *error*.

    The error's message is content, and is written only if content capture is on. Its type and stack are always written.
    A cancelled call gets ``error.type`` and no exception event.
    """
    try:
        _write_error(span, error)
    except Exception as failure:  # noqa: BLE001 - the error's own code may fail, in __str__ for example
        swallow("recording an error", failure)


def _write_error(span: Span, error: BaseException) -> None:
    named = type(error) if REGISTRY.settings.capture_content else _written_class(type(error))
    kind = named.__qualname__
    span.set_attribute(names.ERROR_TYPE, kind)
    if issubclass(type(error), CancelledError):
        span.set_status(Status(StatusCode.ERROR))
        return
    if REGISTRY.settings.capture_content:
        span.record_exception(error, escaped=True)
        span.set_status(Status(StatusCode.ERROR, f"{kind}: {error}"))
        return
    module = named.__module__
    span.add_event(
        "exception",
        {
            "exception.type": kind if module in ("builtins", None) else f"{module}.{kind}",
            "exception.stacktrace": stack_text(traceback_of(error)),
            "exception.escaped": "True",
        },
    )
    span.set_status(Status(StatusCode.ERROR))


def _written_class(kind: type[BaseException]) -> type[BaseException]:
    """
    Return *kind*, or its nearest base that stands in the program's text.

    The name of a class that is made while the program runs may be made from data, which is content.
    """
    for base in kind.__mro__[:-1]:
        name = base.__qualname__
        if "<locals>" in name:
            return base
        found: Any = sys.modules.get(base.__module__)
        for part in name.split("."):
            found = getattr(found, "__dict__", {}).get(part)
        if found is base or base is Exception:
            return base
    return BaseException


def _resource(tool: Tool, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    if tool.resource_of is None:
        return ""
    try:
        return str(tool.resource_of(*args, **kwargs))[:_LONGEST_RESOURCE]
    except Exception as error:  # noqa: BLE001 - the callable is the user's code
        swallow("computing a declared resource", error)
        return ""


def _named(tool: Tool, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    if tool.function is None:
        return dict(kwargs)
    try:
        return inspect.signature(tool.function).bind_partial(*args, **kwargs).arguments
    except (TypeError, ValueError):
        return {"args": args, **kwargs} if args else dict(kwargs)


def _text(value: Any) -> str | None:
    try:
        return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    except Exception as error:  # noqa: BLE001 - the objects' own code may fail
        swallow("encoding a value", error)
        return None

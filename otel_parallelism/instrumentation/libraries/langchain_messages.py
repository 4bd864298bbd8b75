"""What langchain_core and langgraph share: the forms of messages, and the exceptions that pause a graph."""

from __future__ import annotations

from typing import Any

GRAPH_PAUSES = ("GraphBubbleUp",)
"""Raised by langgraph through a tool or an inner graph, to interrupt the run or to go to another node."""


def plain_messages(messages: Any) -> list[object]:
    """Return *messages*, in any form that LangChain accepts, with its message objects as mappings."""
    return [
        {"type": message.type, "content": message.content}
        if hasattr(message, "content") and hasattr(message, "type")
        else message
        for message in (messages if isinstance(messages, list | tuple) else (messages,))
    ]

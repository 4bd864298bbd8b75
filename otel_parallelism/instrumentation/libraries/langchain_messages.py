"""What LangChain's core and LangGraph share: messages in any of their forms, and how a graph pauses."""

from __future__ import annotations

from typing import Any

GRAPH_PAUSES = ("GraphBubbleUp",)
"""What langgraph raises through a tool, or a graph inside, to ask somebody or to hand over."""


def plain_messages(messages: Any) -> list[object]:
    """Return *messages*, in any form that LangChain takes, with its own message objects as mappings."""
    return [
        {"type": message.type, "content": message.content}
        if hasattr(message, "content") and hasattr(message, "type")
        else message
        for message in (messages if isinstance(messages, list | tuple) else (messages,))
    ]

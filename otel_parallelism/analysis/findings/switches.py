"""What agent frameworks offer of their own against running one response's calls one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# A part of the instrumentation scope's name, and what its framework says about several calls in one response.
_SWITCHES = (
    ("openai_agents", "raise ToolExecutionConfig(max_function_tool_concurrency=…)"),
    ("openai-agents", "raise ToolExecutionConfig(max_function_tool_concurrency=…)"),
    ("langchain", "raise max_concurrency in the run's config, and make sure the tools are async"),
    ("langgraph", "raise max_concurrency in the run's config, and make sure the tools are async"),
    ("pydantic", "drop sequential=True from these tools"),
    ("vertex.agent", "make these tools async: ADK runs a response's calls together, but sync tools block its loop"),
    ("google_adk", "make these tools async: ADK runs a response's calls together, but sync tools block its loop"),
    ("semantic_kernel", "make these functions async: sync ones block the kernel's loop"),
    ("strands", "use the ConcurrentToolExecutor instead of SequentialToolExecutor"),
    ("agent_framework", "set allow_concurrent_invocation on the chat client's function calling"),
    ("agno", "use arun instead of run: run takes calls one by one"),
    ("haystack", "raise the agent's tool concurrency limit"),
    ("llama", "raise the workflow's number of workers"),
)


def switch(instrumentations: Iterable[str]) -> str:
    """
    The framework's own remedy for calls that instrumentation scopes of these names told of; empty if it has none.

    >>> switch(["openinference.instrumentation.agno"])
    'use arun instead of run: run takes calls one by one'
    """
    for instrumentation in instrumentations:
        name = instrumentation.lower()
        for part, remedy in _SWITCHES:
            if part in name:
                return remedy
    return ""

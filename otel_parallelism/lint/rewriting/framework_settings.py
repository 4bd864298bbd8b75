"""Finds, in a program's source, the literal settings of agent frameworks that keep calls apart, and changes one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.source.functions import callee_name

from .source_text import SourceText, parsed_module

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

LIMITING: Final[tuple[tuple[str, str], ...]] = (
    ("openai_agents", "max_function_tool_concurrency"),
    ("openai-agents", "max_function_tool_concurrency"),
    ("langchain", "max_concurrency"),
    ("langgraph", "max_concurrency"),
    ("pydantic", "sequential"),
    ("strands", "SequentialToolExecutor"),
    ("agent_framework", "allow_concurrent_invocation"),
    ("smolagents", "max_tool_threads"),
    ("haystack", "tool_concurrency_limit"),
    ("llama", "num_workers"),
    ("agents", "max_function_tool_concurrency"),
)
"""A part of a framework's or an instrumentation's name, and the setting with which its program keeps calls apart."""

_FLAGS: Final = {"sequential": (True, "False"), "allow_concurrent_invocation": (False, "True")}
"""Settings that are true or false: the value that keeps calls apart, and the text of the other one."""
_TOGETHER: Final = {"SequentialToolExecutor": "ConcurrentToolExecutor"}
"""Classes that keep calls apart, and the class of the same module that does not."""


_ADDED: Final = {
    "max_function_tool_concurrency": "run_config=RunConfig(tool_execution=ToolExecutionConfig({setting}={calls})) "
    "in the call of Runner.run",
    "max_concurrency": 'config={{"{setting}": {calls}}} in the call of invoke or ainvoke',
    "max_tool_threads": "{setting}={calls} where the agent is made",
    "tool_concurrency_limit": "{setting}={calls} where the Agent is made",
    "num_workers": "@step({setting}={calls}) on the step that calls the tools",
    "SequentialToolExecutor": "tool_executor=ConcurrentToolExecutor() where the Agent is made",
    "sequential": "{setting}=False where the tools are declared",
    "allow_concurrent_invocation": 'client.function_invocation_configuration["{setting}"] = True',
}
"""What to write where a program has no such literal, and where."""


class SettingPlace(msgspec.Struct, frozen=True):
    """
    A literal setting that keeps calls apart.

    Attributes:
        line: The line of its value, from 1.
        spans: The offsets in characters of all texts to change.
        text: What to put there.
    """

    line: int
    spans: tuple[tuple[int, int], ...]
    text: str


def limiting_setting(framework: str) -> str:
    """
    Return the setting with which programs of a *framework* keep calls apart; empty if none is known.

    >>> limiting_setting("openinference.instrumentation.smolagents")
    'max_tool_threads'
    """
    name = framework.lower()
    return next((setting for part, setting in LIMITING if part in name), "")


def added_setting(setting: str, calls: int) -> str:
    """
    Return what to write, and where, so that *calls* run at once; empty if that is unknown.

    >>> added_setting("max_tool_threads", 3)
    'max_tool_threads=3 where the agent is made'
    """
    return _ADDED.get(setting, "").format(setting=setting, calls=calls)


def setting_places(text: str, setting: str, *, calls: int, limit: int, tools: Collection[str]) -> list[SettingPlace]:
    """
    Return where *text* has *setting* as a literal that keeps calls apart; none if it is not Python.

    Args:
        text: Python source.
        setting: The name of an argument, of a key of a dict, or of a class.
        calls: How many calls are to run at once.
        limit: How many ran at once when that was measured; another number is another setting.
        tools: The tools that were called; a setting of a single tool counts only if it is of one of these.

    >>> text = "config = {'max_concurrency': 1}"
    >>> (place,) = setting_places(text, "max_concurrency", calls=3, limit=1, tools=())
    >>> changed_setting(text, place)
    "config = {'max_concurrency': 3}"
    """
    tree = parsed_module(text)
    if tree is None:
        return []
    source = SourceText(text)
    if setting in _TOGETHER:
        return _class_places(tree, source, setting)
    given = list(_given(tree, setting))
    if setting in _FLAGS:
        apart, new = _FLAGS[setting]
        flags = [value for value, call in given if value.value is apart and _is_of(call, tree, tools)]
        spans = tuple(source.span(value) for value in flags)
        return [SettingPlace(flags[0].lineno, spans, new)] if flags else []
    return [
        SettingPlace(value.lineno, (source.span(value),), str(calls))
        for value, _ in given
        if type(value.value) is int and value.value == limit < calls
    ]


def changed_setting(text: str, place: SettingPlace) -> str:
    """Return *text* with the setting at *place* changed."""
    for start, end in sorted(place.spans, reverse=True):
        text = text[:start] + place.text + text[end:]
    return text


def _given(tree: ast.Module, setting: str) -> Iterator[tuple[ast.Constant, ast.AST]]:
    """Yield the literals that *setting* gets as an argument or under a key, each with what gives them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == setting and isinstance(keyword.value, ast.Constant):
                    yield keyword.value, node
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == setting and isinstance(value, ast.Constant):
                    yield value, node
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            target = node.targets[0]
            key = target.slice if isinstance(target, ast.Subscript) else None
            if isinstance(key, ast.Constant) and key.value == setting:
                yield node.value, node


def _is_of(call: ast.AST, tree: ast.Module, tools: Collection[str]) -> bool:
    """Return whether *call*, which is given a flag, is about one of *tools*, or about none in particular."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and call in node.decorator_list:
            return node.name in tools
    if isinstance(call, ast.Call) and callee_name(call) in {"Tool", "FunctionTool"}:
        return any(isinstance(one, ast.Name) and one.id in tools for one in call.args)
    return True


def _class_places(tree: ast.Module, source: SourceText, name: str) -> list[SettingPlace]:
    """Return one place for all uses of the class *name*, with its import; none if the file does not import it so."""
    spans = []
    imported = False
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.name == _TOGETHER[name]:
                    return []
                if alias.name == name and alias.asname is None:
                    start = source.offset(alias.lineno, alias.col_offset)
                    spans.append((start, start + len(name)))
                    imported = True
        elif isinstance(node, ast.Name) and node.id == name:
            spans.append(source.span(node))
    uses = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
    return [SettingPlace(min(uses), tuple(spans), _TOGETHER[name])] if imported and uses else []

"""Finds the system prompts that a program's source has as literals, and adds a section to one."""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from .source_text import SourceText, parsed_module

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NOTHING: Final[Mapping[str, tuple[str, ...]]] = {}
_KEYWORDS: Final = frozenset(
    {"system_prompt", "system_message", "system_instruction", "system", "instructions", "instruction"}
)
"""Arguments that are a system prompt, in agent frameworks and in clients of model providers."""
_MAKERS: Final = frozenset({"create_react_agent", "create_agent", "create_supervisor"})
"""Functions whose argument ``prompt`` is a system prompt."""
_MESSAGES: Final = frozenset({"SystemMessage", "SystemPromptPart", "ChatMessageSystem"})
"""Classes of messages whose first argument, or ``content``, is a system prompt."""
_ROLES: Final = frozenset({"system", "developer"})
_WIDTH: Final = 88
_NARROWEST: Final = 40
_STEP: Final = "    "


class PromptPlace(msgspec.Struct, frozen=True):
    """
    A literal system prompt.

    Attributes:
        line: The line where it begins, from 1.
        start: The offset in characters at which its text begins.
        end: The offset at which it ends.
        literal: What it says; of an f-string, the longest part without a value.
        names: The agents' names that the calls with the prompt give by keyword.
        first: The first argument of the call around it if that is a literal: a name in some frameworks, or a model.
    """

    line: int
    start: int
    end: int
    literal: str
    names: tuple[str, ...] = ()
    first: str = ""


def prompt_places(text: str, imported: Mapping[str, tuple[str, ...]] = _NOTHING) -> list[PromptPlace]:
    """
    Return the literal system prompts in *text*, in order; none if it is not Python.

    A variable that its module binds once to a literal, and that is used for nothing else in it, stands for the literal.

    Args:
        text: Python source.
        imported: Variables that other files import from this one as system prompts, as `imported_prompts` returns them.

    >>> [place.literal for place in prompt_places("a = Agent('gpt', instructions='Plan trips.')")]
    ['Plan trips.']
    """
    tree = parsed_module(text)
    if tree is None:
        return []
    source = SourceText(text)
    constants = _constants(tree)
    values = list(_values(tree))
    prompts = Counter(value.id for value, _ in values if isinstance(value, ast.Name))
    given = [(value, _names_in(call), _first_of(call)) for value, call in values]
    given += [(ast.Name(name, ast.Load()), names, "") for name, names in imported.items()]
    found: dict[int, PromptPlace] = {}
    for value, names, first in given:
        literal = value
        if isinstance(value, ast.Name):
            if value.id not in constants or prompts[value.id] != _reads_of(value.id, tree):
                continue  # it is used for something else too
            literal = constants[value.id]
        said = _said(literal)
        if said:
            start, end = source.span(literal)
            found[start] = PromptPlace(literal.lineno, start, end, said, names, first)
    return [found[start] for start in sorted(found)]


def imported_prompts(text: str) -> dict[str, tuple[str, ...]]:
    r"""
    Return the variables of other files that *text* gives as system prompts, with the agents' names that the calls give.

    >>> imported_prompts("from prompts import TRAVEL as P\na = Agent(name='planner', instructions=P)")
    {'TRAVEL': ('planner',)}
    >>> imported_prompts("import prompts\na = Agent(instructions=prompts.TRAVEL)")
    {'TRAVEL': ()}
    """
    tree = parsed_module(text)
    found: dict[str, tuple[str, ...]] = {}
    if tree is None:
        return found
    bound: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            bound |= {alias.asname or alias.name.partition(".")[0]: alias.name for alias in node.names}
    for value, call in _values(tree):
        root = value
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name) and root.id in bound:
            name = value.attr if isinstance(value, ast.Attribute) else bound[root.id]
            found[name] = (*found.get(name, ()), *_names_in(call))
    return found


def with_section(
    text: str, place: PromptPlace, section: str, imported: Mapping[str, tuple[str, ...]] = _NOTHING
) -> str | None:
    """
    Return *text* with *section* at the end of the prompt at *place*; None if there is no way that surely says that.

    A string in triple quotes gets the lines of the section, indented as its own; any other is continued in brackets.
    *imported* is as for `prompt_places`.
    """
    source = SourceText(text)
    literal = text[place.start : place.end]
    newline = "\r\n" if "\r\n" in text else "\n"
    candidates = []
    if literal[-3:] in {'"""', "'''"} and "\n" in literal:
        candidates.append(_longer(literal, section, newline))
    head = source.line(place.line)
    indent = head[: len(head) - len(head.lstrip())] + _STEP
    if "\n" in literal:  # its parts stand in brackets already
        tail = literal.rpartition("\n")[2]
        candidates.append(f"{literal}{newline}{_pieces(section, tail[: len(tail) - len(tail.lstrip())], newline)}")
    pieces = _pieces(section, indent, newline)
    candidates.append(f"({newline}{indent}{literal}{newline}{pieces}{newline}{indent[: -len(_STEP)]})")
    for candidate in candidates:
        new = text[: place.start] + candidate + text[place.end :]
        if _says(prompt_places(text, imported), place, prompt_places(new, imported), section):
            return new
    return None


def _says(before: list[PromptPlace], place: PromptPlace, after: list[PromptPlace], section: str) -> bool:
    """Return whether the prompts *after* are those *before*, the one at *place* with the lines of *section*."""
    if len(before) != len(after):
        return False
    wanted = [line.strip() for line in section.split("\n")]
    for old, now in zip(before, after, strict=True):
        if old.start != place.start:
            if old.literal != now.literal:
                return False
        elif [line.strip() for line in now.literal.rstrip().split("\n")][-len(wanted) :] != wanted:
            return False
    return True


def _longer(literal: str, section: str, newline: str) -> str:
    """Return a *literal* in triple quotes with the lines of *section* at its end."""
    body, quotes = literal[:-3], literal[-3:]
    stripped = body.rstrip()
    ending = body[len(stripped) :]
    lines = [line for line in body.split("\n")[1:] if line.strip()]
    indent = min((line[: len(line) - len(line.lstrip())] for line in lines), key=len, default="")
    if "f" in literal[: literal.index(quotes)].lower():
        section = section.replace("{", "{{").replace("}", "}}")
    added = textwrap.indent(section, indent).replace("\n", newline)
    return f"{stripped}{newline}{newline}{added}{ending}{quotes}"


def _pieces(section: str, indent: str, newline: str) -> str:
    """Return lines of string literals that together say an empty line and *section*."""
    width = max(_WIDTH - len(indent), _NARROWEST)
    found = []
    for paragraph in re.findall(r"[^\n]*\n+|[^\n]+", f"\n\n{section}"):
        line = paragraph.rstrip("\n")
        parts = textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]
        found += [*(f"{part} " for part in parts[:-1]), parts[-1] + paragraph[len(line) :]]
    return newline.join(f"{indent}{_quoted(piece)}" for piece in found)


def _quoted(text: str) -> str:
    inner = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{inner}"'


def _values(tree: ast.Module) -> Iterator[tuple[ast.expr, ast.AST]]:
    """Yield the expressions that are system prompts, each with the call or the message in which it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            for keyword in node.keywords:
                wanted = keyword.arg in _KEYWORDS or (keyword.arg == "prompt" and name in _MAKERS)
                if wanted or (keyword.arg == "content" and name in _MESSAGES):
                    yield keyword.value, node
            if name in _MESSAGES and node.args:
                yield node.args[0], node
        elif isinstance(node, ast.Dict):
            entries = {
                key.value: value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            }
            role = entries.get("role")
            if isinstance(role, ast.Constant) and role.value in _ROLES and "content" in entries:
                yield entries["content"], node
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2:  # noqa: PLR2004 - a role and a text
            role, value = node.elts
            if isinstance(role, ast.Constant) and role.value in _ROLES:
                yield value, node


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """Return what the module assigns to each variable that is bound once anywhere in it."""
    bound = Counter(
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    )
    bound += Counter(node.arg for node in ast.walk(tree) if isinstance(node, ast.arg))
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.expr) and bound[target.id] == 1:
            found[target.id] = value
    return found


def _reads_of(name: str, tree: ast.Module) -> int:
    """Return how often *tree* reads the variable *name*."""
    return sum(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load) for node in ast.walk(tree)
    )


def _said(literal: ast.expr) -> str:
    """Return the text of *literal*; empty if it is no text."""
    if isinstance(literal, ast.Constant):
        return literal.value if isinstance(literal.value, str) else ""
    parts = literal.values if isinstance(literal, ast.JoinedStr) else []
    return max((str(part.value) for part in parts if isinstance(part, ast.Constant)), key=len, default="")


def _names_in(call: ast.AST) -> tuple[str, ...]:
    """Return the texts that *call* is given by a keyword for a name."""
    keywords = call.keywords if isinstance(call, ast.Call) else []
    given = [keyword.value for keyword in keywords if keyword.arg in {"name", "agent_name"}]
    return tuple(one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str))


def _first_of(call: ast.AST) -> str:
    """Return the first argument of *call* if it is a literal text; otherwise an empty string."""
    first = call.args[0] if isinstance(call, ast.Call) and call.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""

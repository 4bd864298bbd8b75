"""
Finds why two calls that need nothing of each other may still not be made together.

The source may say so in words, in a comment or a docstring. It may make both in one transaction. It may leave a call to
a function that is free to delay it, or make it in one that changes what the next call may see.
"""

from __future__ import annotations

import ast
import itertools
from typing import TYPE_CHECKING

from otel_parallelism.pace import paced
from otel_parallelism.patterns import CaselessPattern
from otel_parallelism.shown_names import pair_names

from .call_stacks import site_of
from .changes.named_attributes import names_in_common
from .changes.outside_names import facts_of, functions_called
from .changes.program_modules import ProgramModule, called_elsewhere, function_at, program_module
from .changes.run_functions import run_by
from .changes.tool_changes import changes_something, tool_functions
from .changes.tool_state import argument_changed, read_in_tests, states_of_tools
from .functions import PASS_ON, callee_name, own_nodes, tool_call
from .known_functions import is_harmless_block, is_pure, is_sleep, yields_only

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_parallelism.model import Call, CallFrame

    from .call_stacks import Level, Sources
    from .changes.kept_state import KeptState
    from .functions import Function, SourceFile

_AGAINST = CaselessPattern(
    r"(?:(?:^|[.:;,!(-] ?)(?:please )?(?:do not|don't|avoid)|\b(?:must|should|can|may|could) ?(?:not|n't)|\bnever"
    r"|\bnot (?:allowed|safe|possible)|\bunsafe|\bsupports? no|n[o']t support"
    r"|\b(?:forbid|reject|refuse)s?|\b(?:break|fail)s? (?:if|when|under))"
    r"\b[^.;]{0,60}\b(?:parallel|concurren|gather|simultaneous|together\b|at once|at the same time|overlap"
    r"|back[- ]to[- ]back)"
    r"|\b(?:not|isn't|non)[- ](?:\w+[- ])?(?:thread|task|async|concurrency|re-?entrant)[- ]?safe"
    r"|\brate[- ]?limit|\bthrottl|\btoo many requests|\b429\b|\bquotas?\b|\bbans? "
    r"|\b\d+ (?:requests?|calls?|queries) (?:per|an?|every|each) "
    r"|\border (?:matters|is important)|\bmust \w+ (?:first|before|after)\b"
    r"|\b(?:only|at most|max|maximum|a single|allows) (?:one|1|single) (?:request|connection|call|session|query|at )"
    r"|\bone (?:request|connection|call|query) at a time\b"
)
"""Says that calls may not be made together. That they are not made together, as an example may say, is no reason."""

_LINES_ABOVE = 8
_MOST_LINES = 400
_TESTS = (ast.If, ast.While, ast.Assert, ast.IfExp)
_TRANSACTIONS = frozenset({"transaction", "in_transaction", "atomic", "begin", "begin_nested", "savepoint"})
_PASSING_ON = PASS_ON | {"gather", "wait", "to_thread", "run_in_executor", "run_sync", "submit", "partial"}


def reservation(file: SourceFile, function: Function, first: ast.Call, second: ast.Call) -> str:
    """
    Return why two calls that *function* makes may not be made together, as a sentence; empty if nothing speaks against.

    >>> from .functions import Site, SourceFile
    >>> lines = "async def f(get):", " # The server allows one request at a time.", " await get(1)", " await get(2)"
    >>> file = SourceFile(chr(10).join(lines))
    >>> function = file.function("f", 1)
    >>> first, second = (file.call(function, Site("f", line)) for line in (3, 4))
    >>> reservation(file, function, first, second)
    'a comment or docstring speaks against it (line 2): The server allows one request at a time.'
    """
    return (
        _transaction(file, function, first, second)
        or _handed_on(file, first)
        or _handed_on(file, second)
        or _said(file, function, first, second)
    )


def change_around(
    stacks: Sequence[Sequence[CallFrame | None]],
    level: Level,
    calls: Sequence[Call],
    sources: Sources,
    shared: Sequence[str] = (),
) -> str:
    """
    Return which function around two calls, or between them, changes what other calls may see, as a sentence.

    Args:
        stacks: The frames of both calls, the innermost first.
        level: The function that made both.
        calls: The earlier call and the later one.
        sources: Returns the parsed file of a frame, or None.
        shared: The names of objects that both calls are given.

    Returns an empty text if none does.
    """
    for stack, frame, call in zip(stacks, (level.earlier, level.later), calls, strict=True):
        reason = change_between(stack, frame, call.tool, sources)
        if reason:
            return reason
    states = states_of_tools(stacks, calls, sources)
    return _changed_for_later(level, stacks[1], calls[1], sources) or (
        _kept_state_used(level, states, calls, sources, shared) if states else ""
    )


def _kept_state_used(
    level: Level, states: Sequence[KeptState], calls: Sequence[Call], sources: Sources, shared: Sequence[str]
) -> str:
    """Return which state two tools use while they run, or is looked at in between, as a sentence."""
    first, second = pair_names(calls[0].tool, calls[1].tool)
    changed = argument_changed(calls, states, shared)
    if changed:
        return f"{changed}, which {first} and {second} were both given, is changed by one of them"
    if states[0].alone and states[0].alone == states[1].alone:
        return f"{first} and {second} both use {states[0].alone}"
    name = states[0].in_use(states[1])
    if name:
        return f"{first} and {second} both use {name}, which is set while they run"
    seen = min(_tested_between(level, sources) & (states[0].changed | states[0].added), default="").removeprefix(".")
    return f"{seen}, which {first} changes, may decide whether {second} is called" if seen else ""


def _tested_between(level: Level, sources: Sources) -> frozenset[str]:
    """Return what the conditions between two calls read."""
    file = sources(level.later)
    function = None if file is None else file.function(level.later.function, level.later.line_number)
    if file is None or function is None:
        return frozenset()
    first, second = (file.call(function, site_of(frame)) for frame in (level.earlier, level.later))
    tests = [node.test for node in _nodes_between(file, function, first, second) if isinstance(node, _TESTS)]
    return read_in_tests(tests, function, program_module(file, level.later.file_path, sources))


def _changed_for_later(level: Level, stack: Sequence[CallFrame | None], call: Call, sources: Sources) -> str:
    """Return which function of another module, called between two calls, changes what the later one reads."""
    file = sources(level.later)
    function = None if file is None else file.function(level.later.function, level.later.line_number)
    inner = next((frame for frame in stack if frame is not None), None)
    caller = None if inner is None else sources(inner)
    if file is None or function is None or inner is None or caller is None:
        return ""
    module = program_module(file, level.later.file_path, sources)
    first, second = (file.call(function, site_of(frame)) for frame in (level.earlier, level.later))
    defined = None if call.defined is None else function_at(call.defined, sources)
    read: frozenset[str] | None = None
    for node in _calls_between(file, function, first, second):
        changed = [facts_of(one.module.file, one.function).changed for one in run_by(called_elsewhere(module, node))]
        if any(changed) and read is None:
            functions = tool_functions(program_module(caller, inner.file_path, sources), call.tool, defined)
            read = frozenset().union(*(facts_of(one.module.file, one.function).read for one in run_by(functions)))
        found = names_in_common(frozenset().union(*changed), read or frozenset())
        if found:
            name = min(found).removeprefix(".")
            return f"{callee_name(node)}, which is called in between, changes {name}, which {call.tool} may read"
    return ""


def _calls_between(
    file: SourceFile, function: Function, first: ast.Call | None, second: ast.Call | None
) -> Iterator[ast.Call]:
    """Yield the calls that *function* makes between *first* and *second*, or in the loop around one call."""
    for node in _nodes_between(file, function, first, second):
        if isinstance(node, ast.Call) and node is not first and node is not second:
            yield node


def _nodes_between(
    file: SourceFile, function: Function, first: ast.Call | None, second: ast.Call | None
) -> Iterator[ast.stmt | ast.expr]:
    """Yield what *function* runs between *first* and *second*, or in the loop around one call."""
    if first is None or second is None:
        return
    loop = file.loop(function, second)
    for node in own_nodes(function):
        if isinstance(node, (ast.stmt, ast.expr)):
            after = (first.end_lineno or 0, first.end_col_offset or 0) <= (node.lineno, node.col_offset)
            before = (node.lineno, node.col_offset) < (second.lineno, second.col_offset)
            if (after and before) or (loop is not None and loop in _around(file, function, node)):
                yield node


def change_between(stack: Sequence[CallFrame | None], outermost: CallFrame, tool: str, sources: Sources) -> str:
    """
    Return which function between a call and the frame *outermost* changes what other calls may see, as a sentence.

    Args:
        stack: The frames of the call, the innermost first.
        outermost: One of them; it is not looked at.
        tool: The name of the tool, whose own effect is judged elsewhere.
        sources: Returns the parsed file of a frame, or None.

    Returns an empty text if none does.
    """
    called = tool
    for frame in itertools.takewhile(lambda one: one is not outermost, stack):
        if frame is None:
            break
        file = sources(frame)
        function = None if file is None else file.function(frame.function, frame.line_number)
        if file is None or function is None:
            return f"the source of {frame.function}, which makes the call, is not at hand"
        if changes_something(program_module(file, frame.file_path, sources), function, called):
            return f"{frame.function}, which makes the call, changes something outside of it, or waits for others"
        delay = _delay(function, called)
        if delay:
            return f"{frame.function}, which makes the call, {delay}"
        called = frame.function
    return ""


def _delay(function: Function, called: str) -> str:
    """Return what *function* may do to space its calls of *called* out, in words; empty if nothing is seen."""
    for node in paced(own_nodes(function)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Await) and isinstance(node.value.value, ast.Call):
            call = node.value.value
            if callee_name(tool_call(call)) != called and not (is_sleep(call) and yields_only(call)):
                return f"awaits {callee_name(call) or 'a function'} for what it does (line {call.lineno})"
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                # What a block binds is a resource of its own, such as a client.
                if item.optional_vars is None and not is_harmless_block(item.context_expr):
                    return f"makes it in a block that may wait for others (line {node.lineno})"
    return ""


def _transaction(file: SourceFile, function: Function, first: ast.Call, second: ast.Call) -> str:
    around = {id(node): node for node in _around(file, function, first)}
    for node in _around(file, function, second):
        if id(node) in around and isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                opened = item.context_expr
                if isinstance(opened, ast.Call) and callee_name(opened) in _TRANSACTIONS:
                    return f"both calls are made in one transaction (line {node.lineno})"
    return ""


def _around(file: SourceFile, function: Function, node: ast.AST) -> Iterator[ast.AST]:
    outer = file.parents.get(node)
    while outer is not None and outer is not function:
        yield outer
        outer = file.parents.get(outer)


def _handed_on(file: SourceFile, call: ast.Call) -> str:
    """Return what may delay *call*: the function that its coroutine is given to, or one that is given a function."""
    parent = file.parents.get(call)
    outer = file.parents.get(parent) if isinstance(parent, (ast.keyword, ast.Starred)) else parent
    if isinstance(outer, ast.Call) and call is not outer.func and isinstance(file.parents.get(outer), ast.Await):
        awaited = not any(isinstance(one, ast.FunctionDef) for one in functions_called(file, call))
        if awaited and not _passes_on(file, outer):
            return f"{callee_name(outer) or 'a function'} may delay the call that it is given (line {outer.lineno})"
    given = [one for one in call.args if isinstance(one, ast.Name) and one.id in file.named]
    if given and callee_name(call) not in file.named and not _passes_on(file, call):
        return f"{callee_name(call) or 'a function'} may delay {given[0].id}, which it calls (line {call.lineno})"
    return ""


def _passes_on(file: SourceFile, call: ast.Call) -> bool:
    """Return whether a function that is given a call or a function is known not to delay it."""
    if callee_name(call) in _PASSING_ON or is_pure(call):
        return True
    functions = functions_called(file, call)
    alone = ProgramModule(file, lambda _: None)
    return bool(functions) and not any(changes_something(alone, one) for one in functions)


def _said(file: SourceFile, function: Function, first: ast.Call, second: ast.Call) -> str:
    starts = max(1, first.lineno - _LINES_ABOVE), second.end_lineno or second.lineno
    parts = [(function, min(starts), max(starts[1], first.lineno))]
    for call in (first, second):
        for called in functions_called(file, tool_call(call)):
            if not isinstance(called, ast.Module):
                top = min([called.lineno, *(one.lineno for one in getattr(called, "decorator_list", ()))])
                parts.append((called, top - _LINES_ABOVE, called.end_lineno or called.lineno))
    for part, start, end in parts:
        for line, text in paced(_texts(file, part, start, end)):
            if _AGAINST.search(text):
                return f"a comment or docstring speaks against it (line {line}): {text[:80]}"
    return ""


def _texts(file: SourceFile, function: Function, start: int, end: int) -> Iterator[tuple[int, str]]:
    """Yield the docstring of *function* and the comments from line *start* to *end*, each with its line."""
    if not isinstance(function, (ast.Lambda, ast.Module)):
        said = ast.get_docstring(function)
        if said:
            yield function.body[0].lineno, " ".join(said.split())
    block: list[str] = []
    for number in range(max(1, start), min(end, start + _MOST_LINES) + 2):
        line = file.lines[number - 1] if number <= min(end, len(file.lines)) else ""
        code, mark, comment = line.partition("#")
        if mark:
            # What silences a finding of the linter gives its own reason.
            block.append(comment.partition("parallelism:")[0].strip())
        if block and (not mark or code.strip()):
            first = number - len(block) + (1 if mark else 0)
            yield first, " ".join(block)
            block = []

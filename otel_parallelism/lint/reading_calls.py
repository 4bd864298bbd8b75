"""Which awaited calls count: those that may wait for I/O and, as far as the file tells, only read."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.effects.tool_verbs import assumed_effect, cautious_effect, words_in_name
from otel_parallelism.analysis.dependencies.effects.verb_tables import word_set
from otel_parallelism.source.functions import Site, callee_name, own_nodes
from otel_parallelism.source.known_functions import is_guard, is_mutator, is_pure, is_sink
from otel_parallelism.source.proof import prove_calls

from .function_text import FunctionNames, own_variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.source.functions import Function, SourceFile

    from .shared_resources import SharedResources
    from .visible_functions import VisibleFunctions


_OPENING = word_set(
    "client connection conn session lock pool loop semaphore executor cursor iterator stream reader writer browser "
    "page engine runner instance"
)
"""Last words of the names of calls that open or build something rather than read."""

_SHOWING = word_set("show view ping preview peek head ls cat pwd wc whoami is")
"""Verbs of calls that show something, measure a time, or look at what is in memory."""

_BARE = word_set("read get fetch head peek scan list find query status count sum stat filter")
"""Names that say nothing where no argument says what is read: they may take the next item."""

_CONTEXTS = frozenset({"ctx", "interaction", "inter", "update"})
"""Names of arguments through which a chat bot's function may talk to a person, whatever the function is called."""

_NEAR = 50
"""How many calls before and after another one may be compared with it."""

_PERSONS = word_set("input answer reply prompt menu")
"""Words for calls that a person answers, one at a time."""


class _KnownReads:
    """Calls of one function that count, in the order of the text."""

    def __init__(self, calls: list[ast.Call]) -> None:
        self.calls = frozenset(calls)
        self._ordered = calls
        self._position = {call: at for at, call in enumerate(calls)}

    def near(self, call: ast.Call) -> list[ast.Call]:
        """Return those that are compared with *call*: the next ones, and, in a loop, the last ones."""
        at = self._position.get(call, 0)
        return self._ordered[max(0, at - _NEAR) : at + _NEAR]


class ReadingCalls:
    """The awaited calls of one function that count, and what the source shows about two of them."""

    def __init__(
        self,
        file: SourceFile,
        function: ast.AsyncFunctionDef,
        *,
        resources: SharedResources,
        visible: VisibleFunctions,
        measured: frozenset[str] = frozenset(),
    ) -> None:
        """Look at nothing yet; *measured* are names of functions that a report says only read."""
        self.file = file
        self.function = function
        self.resources = resources
        self.measured = measured
        self._visible = visible
        self._counts: dict[ast.Await, bool] = {}

    def counts(self, node: ast.Await) -> bool:
        """Return whether *node* awaits a call that may wait for I/O and only reads."""
        if node not in self._counts:
            self._counts[node] = isinstance(node.value, ast.Call) and self._reads(node.value)
        return self._counts[node]

    def _reads(self, call: ast.Call) -> bool:
        if callee_name(call) not in self.measured and not _reads_by_name(call):
            return False
        if any(isinstance(inner, (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)) for inner in _inside(call)):
            return False
        return (
            not self.resources.uses_one_at_a_time(call, self.function)
            and not self.resources.in_ordered_block(call, self.function)
            and self._visible.only_reads_and_waits(call)
        )

    @cached_property
    def own(self) -> frozenset[str]:
        """The variables that the function binds, without its parameters."""
        return own_variables(self.function)

    @cached_property
    def names(self) -> FunctionNames:
        """How the function uses each name."""
        return FunctionNames(self.function)

    @cached_property
    def is_generator(self) -> bool:
        """Whether the function yields."""
        return any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in own_nodes(self.function))

    @cached_property
    def _known_reads(self) -> dict[Function, _KnownReads]:
        """The calls that count, by the function to which their place in the text leads."""
        found: dict[Function, dict[ast.Call, None]] = {}
        for node in own_nodes(self.function):
            if isinstance(node, ast.Await) and isinstance(node.value, ast.Call) and self.counts(node):
                place = self._place(node.value)
                if place is not None:
                    found.setdefault(place[0], {})[place[1]] = None
        return {function: _KnownReads(list(calls)) for function, calls in found.items()}

    def _place(self, made: ast.Call) -> tuple[Function, ast.Call] | None:
        """Return the function and the call to which the place of *made* in the text leads; None if it is ambiguous."""
        site = Site(self.function.name, made.lineno, made.end_lineno or 0, made.end_col_offset or 0)
        function = self.file.function(site.function, site.line)
        call = None if function is None else self.file.call(function, site)
        return None if function is None or call is None else (function, call)

    def needs_nothing(self, first: ast.Call, second: ast.Call) -> bool:
        """Return whether *second* needs nothing of *first*, and both may use what they share at the same time."""
        one, other = self._place(first), self._place(second)
        if one is None or other is None or one[0] is not other[0]:
            return False
        known = self._known_reads.get(one[0]) or _KnownReads([])
        proof = prove_calls(self.file, *one, other[1], known=known.calls, others=known.near(one[1]))
        return (
            proof.verdict == "independent"
            and not proof.discarded
            and not proof.derived
            and not any(self.resources.one_at_a_time(name, self.function) for name in proof.shared)
        )

    def is_harmless(self, call: ast.Call) -> bool:
        """Return whether *call*, which is not awaited, changes nothing but objects in the function's own variables."""
        if is_sink(call):
            return False
        if is_mutator(call):
            holder = call.func.value if isinstance(call.func, ast.Attribute) else call.func
            while isinstance(holder, (ast.Attribute, ast.Subscript)):
                holder = holder.value
            return isinstance(holder, ast.Name) and holder.id in self.own
        return is_pure(call) or assumed_effect(callee_name(call)) == "read"


def _reads_by_name(call: ast.Call) -> bool:
    """Return whether the name of what *call* calls says that it reads, and nothing suggests that it does more."""
    name = callee_name(call)
    words = words_in_name(name)
    if assumed_effect(name) != "read" or is_guard(name) or cautious_effect(name) == "write":
        return False
    if words[-1] in _OPENING or words[0] in _SHOWING or not _PERSONS.isdisjoint(words):
        return False
    if any(isinstance(argument, ast.Name) and argument.id in _CONTEXTS for argument in call.args):
        return False
    bare = len(words) == 1 and words[0] in _BARE and not call.args and not call.keywords
    return words != ["read"] and not bare


def _inside(call: ast.Call) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(call):
        yield from ast.walk(child)

"""What the source shows of two calls: whether the later one needs the earlier one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from otel_parallelism.shown_names import pair_names

from .blocks import BlockWalk
from .changes.outside_names import functions_called
from .flows import Condition, State, TooLongError, Tracked, any_of, overlaps, shown
from .functions import callee_name, own_nodes, tool_call
from .known_functions import is_guard
from .reservations import reservation
from .syntax import is_immutable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .functions import Function, Site, SourceFile

_MOST_PROOFS = 1_000
"""The proofs that are kept, and worked out, for one file: each takes some milliseconds, once."""

SourceVerdict: TypeAlias = Literal["independent", "dependent", "unknown"]


class Proof(msgspec.Struct, frozen=True):
    """
    What the source shows of two calls.

    Attributes:
        verdict: Whether the later call needs the earlier one, as far as the source shows.
        reason: The variable or the condition that ties them, or why nothing can be said, as one sentence.
        shared: The names of objects that both calls are given, and either may change.
        derived: The names of objects that the earlier call was given and from which the later one's arguments are read.
        discarded: Whether the result of the earlier call is not used.
        doubted: Whether the verdict is unknown although both calls were found, and followed from one to the other.
    """

    verdict: SourceVerdict
    reason: str
    shared: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    discarded: bool = False
    doubted: bool = False


def prove(file: SourceFile, earlier: Site, later: Site, *, known_reads: Iterable[Site] = ()) -> Proof:
    """
    Return what *file* shows of two calls in one function.

    Args:
        file: The parsed source.
        earlier: Where the call that ended first was made.
        later: Where the other call was made; the same place if it is made in a loop.
        known_reads: Where calls are made that are known to change nothing.

    >>> from .functions import Site, SourceFile
    >>> text = "async def f(a, b):" + chr(10) + " x = await a(1)" + chr(10) + " return await b(x)"
    >>> prove(SourceFile(text), Site("f", 2), Site("f", 3)).reason
    'b is given x (line 2), which comes from a'
    """
    function = file.function(earlier.function, earlier.line)
    if function is None or file.function(later.function, later.line) is not function:
        return Proof("unknown", "the two calls do not stand in one function that can be found")
    first, second = file.call(function, earlier), file.call(function, later)
    if first is None or second is None:
        return Proof("unknown", "the calls cannot be told apart from others on their lines")
    known = frozenset(
        call
        for site in known_reads
        if file.function(site.function, site.line) is function and (call := file.call(function, site)) is not None
    )
    key = (first, second, known)
    proof = file.proofs.get(key)
    if not isinstance(proof, Proof):
        if len(file.proofs) >= _MOST_PROOFS:
            return Proof("unknown", "the file has too many calls")
        walk = _Walk(file, function, first, second)
        walk.known = known
        try:
            proof = walk.proof()
            reason = reservation(file, function, first, second) if proof.verdict == "independent" else ""
            if reason:
                proof = Proof("unknown", reason, doubted=True)
        except (TooLongError, RecursionError):
            proof = Proof("unknown", "the function is too long to be followed")
        file.proofs[key] = proof
    return proof


class _Walk(BlockWalk):
    """Walks through one function and collects how the later call is made."""

    def __init__(self, file: SourceFile, function: Function, earlier: ast.Call, later: ast.Call) -> None:
        super().__init__(file, function, earlier, later)
        self._found: list[tuple[SourceVerdict, str]] = []
        self._shared: dict[str, None] = {}
        self._derived: dict[str, None] = {}
        around = file.parents.get(earlier)
        around = file.parents.get(around) if isinstance(around, ast.Await) else around
        self._discarded = isinstance(around, ast.Expr)
        self._a = callee_name(tool_call(earlier)) or "the first function"
        self._b = callee_name(tool_call(later)) or "the second function"

    def proof(self) -> Proof:
        state = State()
        if not isinstance(self.function, ast.Module):
            arguments = self.function.args
            for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
                known = is_immutable(argument.annotation)
                state.names[argument.arg] = Tracked() if known else Tracked(objects=frozenset({argument.arg}))
            for rest in (arguments.vararg, arguments.kwarg):
                if rest is not None:
                    state.names[rest.arg] = Tracked(objects=frozenset({rest.arg}))
        if isinstance(self.function, ast.Lambda):
            self.value(self.function.body, state)
        else:
            self.block(self.function.body, state)
        for verdict in ("dependent", "unknown", "independent"):
            for found, reason in self._found:
                if found == verdict:
                    names = tuple(self._shared), tuple(self._derived)
                    return Proof(found, reason, *names, self._discarded, doubted=found == "unknown")
        return Proof("unknown", f"{self._b} is not seen to be called after {self._a}")

    def passed_to_earlier(self, state: State) -> None:
        if self._discarded and (self.handled or is_guard(self._a) or self._may_refuse()):
            state.require(Condition("function", sure=False, reason=f"whether {self._a} fails"))

    def _may_refuse(self) -> bool:
        """Return whether the function of the earlier call, whose result is not used, raises an exception itself."""
        called = functions_called(self.file, tool_call(self.earlier))
        return any(isinstance(node, (ast.Raise, ast.Assert)) for one in called for node in own_nodes(one))

    def judge(self, inputs: Sequence[Tracked], state: State) -> None:
        given = any_of([state.looked_at(value) for value in inputs])
        verdict: SourceVerdict = "unknown"
        sure = [condition.reason for condition in state.conditions if condition.sure]
        unsure = [condition.reason for condition in state.conditions if not condition.sure]
        source = f", which comes from {self._a}"
        if given.flow:
            verdict = "dependent"
            reason = f"{self._b} is given {given.flow}{source if self._a not in given.flow else ''}"
        elif state.failed:
            verdict, reason = "dependent", f"{self._b} is called only if {self._a} fails"
        elif sure:
            verdict = "dependent"
            reason = f"whether {self._b} is called depends on {sure[0]}{source if self._a not in sure[0] else ''}"
        elif state.seen:
            reason = f"{state.seen}, which {self._b} may read"
        elif state.end:
            reason = state.end
        elif unsure:
            reason = f"whether {self._b} is called may depend on {unsure[0]}"
        elif given.doubt:
            reason = f"{self._b} may be given {given.doubt}"
        elif state.waited or (state.paused and state.looped):
            who, again = ("loop", " again") if state.looped else ("function", "")
            reason = f"the {who} sleeps before it calls {self._b}{again}"
        else:
            verdict = "independent"
            earlier, later = pair_names(self._a, self._b)
            reason = f"the source shows that {later} needs nothing of {earlier}"
        self._found.append((verdict, reason))
        self._note_shared(inputs, given, state)

    def _note_shared(self, inputs: Sequence[Tracked], given: Tracked, state: State) -> None:
        for path in sorted(state.reach(any_of(inputs).objects)):
            for passed in sorted(state.passed):
                if overlaps(path, passed):
                    whole = path == passed or passed.startswith(path + ".")
                    (self._shared if whole else self._derived).setdefault(self._label(passed, state))
        for passed in sorted(given.derived):
            self._derived.setdefault(self._label(passed, state))

    @staticmethod
    def _label(path: str, state: State) -> str:
        if not path.startswith("<"):
            return shown(path)
        names = [name for name, value in state.names.items() if path in state.reach(value.objects)]
        return names[0] if names else "an object that is made in the function"

"""What the source shows of two calls: whether the later one needs the earlier one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

import msgspec

from otel_parallelism.shown_names import pair_names

from .blocks import BlockWalk
from .changes.outside_names import OutsideNames, functions_called
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
_VERDICTS: Final[tuple[SourceVerdict, ...]] = ("dependent", "unknown", "independent")
"""What holds of two calls if it holds of one way to make them, highest precedence first."""


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


_TOO_LONG: Final = Proof("unknown", "the function is too long to be followed")


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
    return prove_calls(file, function, first, second, known=known)


def prove_calls(
    file: SourceFile,
    function: Function,
    first: ast.Call,
    second: ast.Call,
    *,
    known: frozenset[ast.Call],
    others: Sequence[ast.Call] = (),
) -> Proof:
    """
    Return what *file* shows of two calls of *function*, as `prove` does.

    Args:
        file: The parsed source.
        function: The function that makes both calls.
        first: The call that ended first.
        second: The other call.
        known: Calls that are known to change nothing.
        others: Calls that may be asked about next, with the same first one. The second walk for a first call serves
            all that are alike.
    """
    key = (first, second, known)
    proof = file.proofs.get(key)
    if not isinstance(proof, Proof):
        if len(file.proofs) >= _MOST_PROOFS:
            return Proof("unknown", "the file has too many calls")
        walked = cast("dict[ast.Call, Proof]", file.walked.setdefault((first, known), {}))
        if second not in walked:
            laters = alike(file, function, second, known, others if walked else ())
            walked.update(_walked(file, function, first, laters, known))
        proof = walked[second]
        try:
            reason = reservation(file, function, first, second) if proof.verdict == "independent" else ""
        except RecursionError:
            proof, reason = _TOO_LONG, ""
        if reason:
            proof = Proof("unknown", reason, doubted=True)
        file.proofs[key] = proof
    return proof


def _walked(
    file: SourceFile, function: Function, first: ast.Call, laters: Sequence[ast.Call], known: frozenset[ast.Call]
) -> dict[ast.Call, Proof]:
    """Return what a walk through *function* shows of *first* and each of *laters*."""
    key = ("always too long", function)
    if file.facts.get(key):
        return dict.fromkeys(laters, _TOO_LONG)
    walk = _Walk(file, function, first, laters)
    walk.known = known
    found = walk.proofs()
    if found[laters[0]] is _TOO_LONG and key not in file.facts:
        nowhere = ast.Call(ast.Name("", ast.Load()), [], [])
        file.facts[key] = _ShortestWalk(file, function, nowhere, [nowhere]).proofs()[nowhere] is _TOO_LONG
    return found


def alike(
    file: SourceFile, function: Function, call: ast.Call, known: frozenset[ast.Call], others: Sequence[ast.Call]
) -> list[ast.Call]:
    """Return *call*, and those of *others* that one walk through *function* can judge together with it."""
    course = _course(file, function, call, known) if others else None
    return [call, *(one for one in others if one is not call and _course(file, function, one, known) == course)]


def _course(file: SourceFile, function: Function, later: ast.Call, known: frozenset[ast.Call]) -> object:
    """Return all that a walk asks about the call *later* before it gets there."""
    key = ("course", later, known)
    if key not in file.facts:
        around = file.parents.get(later)
        while around is not None and around is not function and not isinstance(around, ast.GeneratorExp):
            around = file.parents.get(around)
        name = ast.dump(tool_call(later).func)
        facts = OutsideNames(file, function, later, tool_call(later)).facts_of_later
        in_generator = later if isinstance(around, ast.GeneratorExp) else None
        file.facts[key] = name if name in _unknown_names(file, function, known) else "", facts, in_generator
    return file.facts[key]


def _unknown_names(file: SourceFile, function: Function, known: frozenset[ast.Call]) -> frozenset[str]:
    """Return what is called in *function* by the calls that are not *known*."""
    key = ("unknown names", function, known)
    if key not in file.facts:
        calls = (node for node in ast.walk(function) if isinstance(node, ast.Call) and node not in known)
        file.facts[key] = frozenset(ast.dump(tool_call(one).func) for one in calls)
    return cast("frozenset[str]", file.facts[key])


class _Judged:
    """What a walk has found of one later call."""

    def __init__(self, later: ast.Call) -> None:
        self.name = callee_name(tool_call(later)) or "the second function"
        self.found: dict[SourceVerdict, str] = {}
        self.shared: dict[str, None] = {}
        self.derived: dict[str, None] = {}
        self.too_long = False


class _Walk(BlockWalk):
    """Walks through one function and collects how the later calls are made."""

    def __init__(self, file: SourceFile, function: Function, earlier: ast.Call, laters: Sequence[ast.Call]) -> None:
        super().__init__(file, function, earlier, laters)
        self._judged = {later: _Judged(later) for later in laters}
        around = file.parents.get(earlier)
        around = file.parents.get(around) if isinstance(around, ast.Await) else around
        self._discarded = isinstance(around, ast.Expr)
        self._a = callee_name(tool_call(earlier)) or "the first function"

    def proofs(self) -> dict[ast.Call, Proof]:
        """Walk through the function, and return what it shows of each later call."""
        try:
            self._walk()
        except (TooLongError, RecursionError):
            return dict.fromkeys(self._judged, _TOO_LONG)
        return {later: self._proof(judged) for later, judged in self._judged.items()}

    def _proof(self, judged: _Judged) -> Proof:
        if judged.too_long:
            return _TOO_LONG
        for verdict in _VERDICTS:
            if verdict in judged.found:
                names = tuple(judged.shared), tuple(judged.derived)
                doubted = verdict == "unknown"
                return Proof(verdict, judged.found[verdict], *names, self._discarded, doubted=doubted)
        return Proof("unknown", f"{judged.name} is not seen to be called after {self._a}")

    def _walk(self) -> None:
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

    def passed_to_earlier(self, state: State) -> None:
        if self._discarded and (self.handled or is_guard(self._a) or self._may_refuse()):
            state.require(Condition("function", sure=False, reason=f"whether {self._a} fails"))

    def _may_refuse(self) -> bool:
        """Return whether the function of the earlier call, whose result is not used, raises an exception itself."""
        called = functions_called(self.file, tool_call(self.earlier))
        return any(isinstance(node, (ast.Raise, ast.Assert)) for one in called for node in own_nodes(one))

    def judge(self, later: ast.Call, inputs: Sequence[Tracked], state: State) -> None:
        judged = self._judged[later]
        try:
            self._judge(judged, inputs, state)
        except (TooLongError, RecursionError):
            judged.too_long = True

    def _judge(self, judged: _Judged, inputs: Sequence[Tracked], state: State) -> None:
        name = judged.name
        given = any_of([state.looked_at(value) for value in inputs])
        verdict: SourceVerdict = "unknown"
        sure = [condition.reason for condition in state.conditions if condition.sure]
        unsure = [condition.reason for condition in state.conditions if not condition.sure]
        source = f", which comes from {self._a}"
        if given.flow:
            verdict = "dependent"
            reason = f"{name} is given {given.flow}{source if self._a not in given.flow else ''}"
        elif state.failed:
            verdict, reason = "dependent", f"{name} is called only if {self._a} fails"
        elif sure:
            verdict = "dependent"
            reason = f"whether {name} is called depends on {sure[0]}{source if self._a not in sure[0] else ''}"
        elif state.seen:
            reason = f"{state.seen}, which {name} may read"
        elif state.end:
            reason = state.end
        elif unsure:
            reason = f"whether {name} is called may depend on {unsure[0]}"
        elif given.doubt:
            reason = f"{name} may be given {given.doubt}"
        elif state.waited or (state.paused and state.looped):
            who, again = ("loop", " again") if state.looped else ("function", "")
            reason = f"the {who} sleeps before it calls {name}{again}"
        else:
            verdict = "independent"
            earlier, later = pair_names(self._a, name)
            reason = f"the source shows that {later} needs nothing of {earlier}"
        judged.found.setdefault(verdict, reason)
        self._note_shared(judged, inputs, given, state)

    def _note_shared(self, judged: _Judged, inputs: Sequence[Tracked], given: Tracked, state: State) -> None:
        for path in sorted(state.reach(any_of(inputs).objects)):
            for passed in sorted(state.passed):
                if overlaps(path, passed):
                    whole = path == passed or passed.startswith(path + ".")
                    (judged.shared if whole else judged.derived).setdefault(self._label(passed, state))
        for passed in sorted(given.derived):
            judged.derived.setdefault(self._label(passed, state))

    @staticmethod
    def _label(path: str, state: State) -> str:
        if not path.startswith("<"):
            return shown(path)
        names = [name for name, value in state.names.items() if path in state.reach(value.objects)]
        return names[0] if names else "an object that is made in the function"


class _ShortestWalk(_Walk):
    """Visits what each walk through a function visits at least, whichever two calls it is about."""

    most_passes = 1
    steps_per_visit = 1_000_000_000
    objects_per_visit = 1_000_000_000

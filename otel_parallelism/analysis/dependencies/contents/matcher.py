"""Finds the call whose result first contained each value that is an argument of a later call."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from otel_parallelism.pace import empty, paced
from otel_parallelism.shown_names import pair_names

from .comparables import Values, single_words
from .tokens import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call

_SAID_BY_USER, _SAID_IN_ARGUMENTS = -1, -2
_MAX_HOLDERS = 32
_PROVEN = "a value that {} returned is an argument of {}"


class ValueMatcher:
    """
    Processes the starts and ends of a scope's calls in time order, and records the origin of each value.

    Attributes:
        calls: The calls in order of start.
        edges: The edges found so far, as in `Evidence`.
        origin: The call whose result first contained each token, or where else it occurred first.
        distinctive: Whether each token was distinctive in the result of its origin.
        repeated: The first call whose result repeats a token of the user's messages as a complete value.
        named: The first call whose result contained each pair of name and token, and whether the pair is distinctive.
        user_words: The single words of the user's messages.
        numbers: The calls whose results contained each number that is not distinctive.
        sources: The call whose result first contained each form that an argument may be derived from.
        forms: The call whose result first contained each identity form, or where else it occurred first.
        returned: The calls that returned each object, by its identity.
    """

    def __init__(self, calls: Sequence[Call], spoken: Sequence[Values]) -> None:
        self.calls = calls
        self.edges: list[dict[int, tuple[bool, str]]] = [{} for _ in calls]
        self.origin: dict[str, int] = {}
        self.distinctive: dict[str, bool] = {}
        self.repeated: dict[str, int] = {}
        self.named: dict[tuple[str, str], tuple[int, bool]] = {}
        self.user_words: set[str] = set()
        self.numbers: dict[str, list[int]] = {}
        self.sources: dict[str, int] = {}
        self.forms: dict[str, int] = {}
        self.returned: dict[int, list[int]] = {}
        for values in spoken:
            self.user_words |= single_words(values)
            for token in values.tokens:
                self.origin.setdefault(token, _SAID_BY_USER)
            for form in values.forms:
                self.forms.setdefault(form, _SAID_BY_USER)

    def start(self, index: int, arguments: Values | None) -> None:
        """Compare the *arguments* of a call that starts with all earlier results."""
        self._compare_identities(index)
        if arguments is None:
            return
        explained = self._compare_named(index, arguments)
        for token, distinctive in arguments.tokens.items():
            producer = self.origin.get(token)
            if producer is None or token in explained:
                continue
            if producer >= 0:
                self.edge(index, producer, proven=distinctive and self.distinctive[token])
                # If several results contain a small number, any of them may be its source.
                for other in self.numbers.get(token, ())[-_MAX_HOLDERS:]:
                    self.edge(index, other, proven=False)
            elif token in self.repeated and token in arguments.whole_leaves:
                self.edge(index, self.repeated[token], proven=False, also_said=True)
        self._compare_derived(index, arguments)
        self._compare_forms(index, arguments, explained)
        for token in arguments.tokens:
            self.origin.setdefault(token, _SAID_IN_ARGUMENTS)

    def _compare_derived(self, index: int, arguments: Values) -> None:
        """Add possible edges to results with a form of an argument, unless the longer form has an origin of its own."""
        forms = {**arguments.derived, **dict.fromkeys(arguments.tokens, "")}
        for form, fuller in forms.items():
            producer = self.sources.get(form, -1)
            if producer < 0 or (form in self.origin and form not in arguments.derived):
                continue
            if fuller not in self.origin and fuller not in self.sources:
                self.edge(index, producer, proven=False)
        for form in forms:
            self.sources.setdefault(form, _SAID_IN_ARGUMENTS)

    def _compare_forms(self, index: int, arguments: Values, explained: set[str]) -> None:
        """Add edges to results that contain an argument in another form, unless it is *explained* or was known."""
        for atom in arguments.atoms:
            if atom.token in explained:
                continue
            known = bool(atom.token) and (atom.token in self.origin or self._said(atom.token))
            said = known and self.origin.get(atom.token, _SAID_BY_USER) < 0
            # A value that was seen as it is was not made from another one.
            for form, distinctive in (*atom.forms, *(() if known else atom.transforms)):
                producer = self.forms.get(form, -1)
                if producer >= 0 and not said:
                    self.edge(index, producer, proven=distinctive and not atom.small)
            for form, _ in atom.transforms:
                # A list may be as long as a number that the user named by chance, and the reverse.
                if form[0] == "#" and self.forms.get(form, -1) >= 0:
                    self.edge(index, self.forms[form], proven=False)
        for atom in arguments.atoms:
            for form, _ in atom.forms:
                self.forms.setdefault(form, _SAID_IN_ARGUMENTS)

    def _compare_named(self, index: int, arguments: Values) -> set[str]:
        """
        Add edges for values that prove nothing alone, such as small numbers, if result and argument name them equally.

        Returns:
            The tokens whose origin is thereby proven; other results that contain them are not compared.
        """
        explained = set()
        for pair, distinctive in arguments.named.items():
            token = pair[1]
            producer, named_distinctive = self.named.get(pair, (-1, False))
            proves_alone = arguments.tokens.get(token, False) and self.distinctive.get(token, False)
            if producer < 0 or not distinctive or not named_distinctive or proves_alone:
                continue
            if self.origin.get(token, 0) >= 0:
                self.edge(index, producer, proven=True)
                explained.add(token)
            elif self.origin[token] == _SAID_BY_USER:
                self.edge(index, producer, proven=False, also_said=True)
        return explained

    def end(self, index: int, arguments: Values | None, result: Values | None) -> None:
        """Record what the *result* of a call that ends contains beyond its own *arguments*."""
        content = self.calls[index].result
        for identity in () if content is None else content.identities:
            self.returned.setdefault(identity, []).append(index)
        if result is None:
            return
        own = arguments.tokens if arguments is not None else {}
        own_forms = {form for atom in arguments.atoms for form, _ in atom.forms} if arguments is not None else set()
        for form in result.forms:
            if form not in own_forms:
                self.forms.setdefault(form, index)
        for pair, distinctive in result.named.items():
            if pair[1] not in own:
                self.named.setdefault(pair, (index, distinctive))
        new = {token: distinctive for token, distinctive in result.tokens.items() if token not in own}
        self._record_origins(index, new, result.whole_leaves)
        own_derived = arguments.derived if arguments is not None else ()
        for form in (*result.derived, *new):
            if form not in own and form not in own_derived and not self._said(form):
                self.sources.setdefault(form, index)

    def _record_origins(self, index: int, new: dict[str, bool], leaves: set[str]) -> None:
        for token, distinctive in new.items():
            if not distinctive and number_of(token) is not None:
                self.numbers.setdefault(token, []).append(index)
            if token not in self.origin:
                if self._said(token):
                    self.origin[token] = _SAID_BY_USER
                else:
                    self.origin[token] = index
                    self.distinctive[token] = distinctive
                    continue
            if self.origin[token] == _SAID_BY_USER and token in leaves:
                self.repeated.setdefault(token, index)

    def _said(self, token: str) -> bool:
        """Return whether every word of *token* occurs in the user's messages."""
        return bool(self.user_words) and all(word in self.user_words for word in token.split(" "))

    def edge(self, index: int, producer: int, *, proven: bool, also_said: bool = False) -> None:
        """Add the edge from a call to *producer*, unless there is one that is proven, or none is."""
        known = self.edges[index].get(producer)
        if known is not None and (known[0] or not proven):
            return
        earlier, later = pair_names(self.calls[producer].tool, self.calls[index].tool)
        if proven:
            sentence = _PROVEN.format(earlier, later)
        elif also_said:
            sentence = f"an argument of {later} stands both in what {earlier} returned and in what was asked"
        else:
            sentence = f"an argument of {later} also stands in what {earlier} returned, which may be chance"
        self.edges[index][producer] = (proven, sentence)

    def _compare_identities(self, index: int) -> None:
        content = self.calls[index].arguments
        if content is None:
            return
        later = self.calls[index].tool
        for identity, how in (
            (content.receiver, "is a method of"),
            *((one, "was handed") for one in content.identities),
        ):
            # Unlike a value, a mutable object may have changed with each call that returned it.
            for producer in self.returned.get(identity, ())[-_MAX_HOLDERS:]:
                sentence = f"{later} {how} the very object that {self.calls[producer].tool} returned"
                self.edges[index][producer] = (True, sentence)

    def forget(self) -> None:
        """Forget everything but the edges, with pauses."""
        empty(self.origin, self.distinctive, self.forms, self.sources, self.named)


def chain_edges(calls: Sequence[Call]) -> list[dict[int, tuple[bool, str]]]:
    """Return the edges between *calls* if each is proven to need a value of the one before."""
    edges: list[dict[int, tuple[bool, str]]] = [{} for _ in paced(calls[:1])]
    for index, (earlier, later) in paced(enumerate(pairwise(calls))):
        edges.append({index: (True, _PROVEN.format(*pair_names(earlier.tool, later.tool)))})
    return edges

"""
Which call's result brought in the values that a later call was given: first origin, compared within one scope.

A value counts for the call whose result brought it in, and only if nobody had said it before: not the user, not an
argument, not an earlier result. What also stands in the user's words, or could be chance, makes a pair unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from .outcomes import Outcome
from .tokens import number_of
from .values import Values, Wanted, read, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call, Content
    from otel_parallelism.settings import Settings

_SAID_BY_USER = -1
_SAID_IN_ARGUMENTS = -2
_MOST_HOLDERS = 32


class Evidence(msgspec.Struct, frozen=True):
    """
    What the contents of a scope's calls tell.

    ``edges[b]`` maps an earlier call's index to whether b's need of it is proven (else only possible) and a sentence
    that says how it is known, without the value. ``arguments_whole`` and ``results_whole`` say, per call, whether
    that content was seen in full, ``outcomes`` what its result says about it.
    """

    edges: tuple[dict[int, tuple[bool, str]], ...]
    arguments_whole: tuple[bool, ...]
    results_whole: tuple[bool, ...]
    outcomes: tuple[Outcome, ...]


def gather(calls: Sequence[Call], said: Sequence[Content], settings: Settings) -> Evidence:
    """
    Look at the contents of *calls*, which are one scope's in order of start.

    Args:
        calls: Their ``arguments`` and ``result`` are read where present.
        said: The user's messages so far, and for an inner scope the enclosing call's arguments.
        settings: ``max_leaves`` and ``max_content_bytes`` bound what is looked at.
    """
    leaves, size = settings.max_leaves, settings.max_content_bytes
    known: dict[str | float, Values] = {}
    arguments = [read(call.arguments, leaves, size, arguments=True, known=known) for call in calls]
    wanted = Wanted(arguments)
    results = [read(call.result, leaves, size, wanted) for call in calls]
    spoken = [read(content, leaves, size, wanted) for content in said]
    matcher = _Matcher(calls, [values for values in spoken if values is not None])
    events = [(call.end_ns, 0, index) for index, call in enumerate(calls)]
    events += [(call.start_ns, 1, index) for index, call in enumerate(calls)]
    for _, is_start, index in sorted(events):
        if is_start:
            matcher.start(index, arguments[index])
        else:
            matcher.end(index, arguments[index], results[index])
    return Evidence(
        edges=tuple(matcher.edges),
        arguments_whole=tuple(values is not None and values.whole for values in arguments),
        results_whole=tuple(values is not None and values.whole for values in results),
        outcomes=tuple("" if values is None else values.outcome for values in results),
    )


class _Matcher:
    """Walks a scope in time and notes where each value came from first."""

    def __init__(self, calls: Sequence[Call], spoken: Sequence[Values]) -> None:
        self.calls = calls
        self.edges: list[dict[int, tuple[bool, str]]] = [{} for _ in calls]
        self.origin: dict[str, int] = {}
        self.telling: dict[str, bool] = {}
        self.echoed: dict[str, int] = {}
        self.named: dict[tuple[str, str], tuple[int, bool]] = {}
        self.user_words: set[str] = set()
        self.numbers: dict[str, list[int]] = {}
        self.sources: dict[str, int] = {}
        self.returned: dict[int, list[int]] = {}
        self.holders: dict[int, list[int]] = {}
        for values in spoken:
            self.user_words |= words(values)
            for token in values.tokens:
                self.origin.setdefault(token, _SAID_BY_USER)

    def start(self, index: int, arguments: Values | None) -> None:
        self._identities(index)
        if arguments is None:
            return
        explained = self._named(index, arguments)
        for token, telling in arguments.tokens.items():
            producer = self.origin.get(token)
            if producer is None or token in explained:
                continue
            if producer >= 0:
                self._edge(index, producer, proven=telling and self.telling[token])
                # Of a small number nobody can say which of those that returned it was the first to matter.
                for other in self.numbers.get(token, ())[-_MOST_HOLDERS:]:
                    self._edge(index, other, proven=False)
            elif token in self.echoed and token in arguments.whole_leaves:
                self._edge(index, self.echoed[token], proven=False, also_said=True)
        self._derived(index, arguments)
        for token in arguments.tokens:
            self.origin.setdefault(token, _SAID_IN_ARGUMENTS)

    def _derived(self, index: int, arguments: Values) -> None:
        """
        Note what an argument may have been made from, and what may have been taken out of a result: no proof.

        A form needs no other explanation where what says more stood somewhere before: a listed file's name, say,
        whose words any text may hold.
        """
        forms = {**arguments.derived, **dict.fromkeys(arguments.tokens, "")}
        for form, fuller in forms.items():
            producer = self.sources.get(form, -1)
            if producer < 0 or (form in self.origin and form not in arguments.derived):
                continue
            if fuller not in self.origin and fuller not in self.sources:
                self._edge(index, producer, proven=False)
        for form in forms:
            self.sources.setdefault(form, _SAID_IN_ARGUMENTS)

    def _named(self, index: int, arguments: Values) -> set[str]:
        """
        Note what proves nothing by itself, a word or a small number, but came under its very parameter's name.

        Returns:
            The tokens that need no other explanation: such a one may well stand elsewhere, in results before that.
        """
        explained = set()
        for pair, telling in arguments.named.items():
            token = pair[1]
            producer, told = self.named.get(pair, (-1, False))
            plain = arguments.tokens.get(token, False) and self.telling.get(token, False)
            if producer < 0 or not telling or not told or plain:
                continue
            if self.origin.get(token, 0) >= 0:
                self._edge(index, producer, proven=True)
                explained.add(token)
            elif self.origin[token] == _SAID_BY_USER:
                self._edge(index, producer, proven=False, also_said=True)
        return explained

    def end(self, index: int, arguments: Values | None, result: Values | None) -> None:
        content = self.calls[index].result
        if content is not None:
            for identity in content.identities:
                self.returned.setdefault(identity, []).append(index)
        if result is None:
            return
        own = arguments.tokens if arguments is not None else {}
        for pair, telling in result.named.items():
            if pair[1] not in own:
                self.named.setdefault(pair, (index, telling))
        brought = {token: telling for token, telling in result.tokens.items() if token not in own}
        self._brought_in(index, brought, result.whole_leaves)
        own_derived = arguments.derived if arguments is not None else ()
        for form in (*result.derived, *brought):
            if form not in own and form not in own_derived and not self._said(form):
                self.sources.setdefault(form, index)

    def _brought_in(self, index: int, brought: dict[str, bool], leaves: set[str]) -> None:
        for token, telling in brought.items():
            if not telling and number_of(token) is not None:
                self.numbers.setdefault(token, []).append(index)
            if token not in self.origin:
                if self._said(token):
                    self.origin[token] = _SAID_BY_USER
                else:
                    self.origin[token] = index
                    self.telling[token] = telling
                    continue
            if self.origin[token] == _SAID_BY_USER and token in leaves:
                self.echoed.setdefault(token, index)

    def _said(self, token: str) -> bool:
        """Whether the user said every word of *token*."""
        return bool(self.user_words) and all(word in self.user_words for word in token.split(" "))

    def _edge(self, index: int, producer: int, *, proven: bool, also_said: bool = False) -> None:
        known = self.edges[index].get(producer)
        if known is not None and (known[0] or not proven):
            return
        earlier, later = self.calls[producer].tool, self.calls[index].tool
        if proven:
            sentence = f"a value that {earlier} returned is an argument of {later}"
        elif also_said:
            sentence = f"an argument of {later} stands both in what {earlier} returned and in what was asked"
        else:
            sentence = f"an argument of {later} also stands in what {earlier} returned, which may be chance"
        self.edges[index][producer] = (proven, sentence)

    def _identities(self, index: int) -> None:
        content = self.calls[index].arguments
        if content is None:
            return
        later = self.calls[index].tool
        for producer in self.returned.get(content.receiver, ())[-_MOST_HOLDERS:]:
            sentence = f"{later} is a method of the very object that {self.calls[producer].tool} returned"
            self.edges[index][producer] = (True, sentence)
        for identity in content.identities:
            # Unlike a value, an object that several returned may have become another with each of them.
            for producer in self.returned.get(identity, ())[-_MOST_HOLDERS:]:
                sentence = f"{later} was handed the very object that {self.calls[producer].tool} returned"
                self.edges[index][producer] = (True, sentence)
            holders = self.holders.setdefault(identity, [])
            for other in holders[-_MOST_HOLDERS:]:
                if self.calls[other].end_ns <= self.calls[index].start_ns:
                    sentence = f"{self.calls[other].tool} and {later} were handed one object, which either may change"
                    self.edges[index].setdefault(other, (False, sentence))
            holders.append(index)

"""Tells whether what the user said names what a call is about, or a value that only this call was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.contents.forms.identities import plain_text
from otel_parallelism.analysis.dependencies.contents.tokens import letter_groups, words_in
from otel_parallelism.analysis.dependencies.doubts.choices import OR
from otel_parallelism.analysis.dependencies.doubts.rules import nouns_of
from otel_parallelism.analysis.dependencies.effects.tool_verbs import noun_of, words_in_name
from otel_parallelism.pace import paced
from otel_parallelism.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.analysis.dependencies.contents.comparables import Values
    from otel_parallelism.model import Call

STEM = 4
_MOST_READ = 8_000
_OR_IN_OTHER_SCRIPTS = ("还是", "或", "還是", "または")
_ENDING = LazyPattern(r"(?<=\w)\.[A-Za-z]\w{0,4}$")
"""The end of a file's name, which users leave out."""


class AskedMatters:
    """
    What the user named, for the calls of one scope.

    Attributes:
        said: The user's words.
        stems: Their first letters.
        weighs: Whether the user named two things and left a choice: "the pump or the seal".
    """

    def __init__(self, calls: Sequence[Call], arguments: Sequence[Values | None], heard: Sequence[Values]) -> None:
        """
        Take note of the words of the user.

        Args:
            calls: The calls of one scope, in order of start.
            arguments: The values of their arguments.
            heard: The values of the user's messages.
        """
        self._calls, self._arguments = calls, arguments
        texts = dict.fromkeys(text[:_MOST_READ] for values in paced(heard) for text in values.texts)
        self.said: set[str] = {word for text in paced(texts) for word in words_in(text)}
        self._singular = {singular(word) for word in self.said}
        self.stems: set[str] = {word[:STEM] for word in self.said}
        self._texts = "\n".join(texts).casefold()
        self.weighs: bool = not OR.isdisjoint(self.said) or any(mark in self._texts for mark in _OR_IN_OTHER_SCRIPTS)
        # The first call that each value, and each word in the name of a tool, belongs to.
        self._first: dict[str, int] = {}
        self._first_of_tool: dict[str, int] = {}
        for index, call in paced(enumerate(calls)):
            for word in (*words_in_name(call.tool), *(str(value).casefold() for value in self._given(index))):
                self._first.setdefault(word, index)
            self._first_of_tool.setdefault(call.tool, index)

    def named(self, index: int) -> bool:
        """Return whether the user named what a call is about, or a value that no earlier call was given or is about."""
        tool = self._calls[index].tool
        if noun_of(tool)[:STEM] in self.stems:
            return True
        # Of the other words in its name, those that no earlier call has.
        if any(word[:STEM] in self.stems and self._first[word] == index for word in nouns_of(tool)):
            return True
        own = (str(value) for value in self._given(index))
        return any(self._first[text.casefold()] == index and self._is_said(text) for text in own)

    def asked_for(self, index: int) -> bool:
        """Return whether the user named just what a call returns, or what another call of its tool was made for."""
        tool = self._calls[index].tool
        return noun_of(tool)[:STEM] in self.stems or (self._first_of_tool[tool] < index and self.named(index))

    def texts_of(self, index: int) -> list[str]:
        """Return the words in the name of a call's tool, and what the call was given, with the names of these."""
        values, tool = self._arguments[index], self._calls[index].tool
        names = () if values is None else (word for name, _ in values.named for word in words_in_name(name))
        given = (plain_text(str(value))[:_MOST_READ] for value in self._given(index))
        return [*words_in_name(tool), tool, *names, *given]

    def says(self, word: str) -> bool:
        """Return whether the user said *word*, which is in the singular, or in a script without spaces."""
        return word in self._singular or (not word.isascii() and word in self._texts)

    def _given(self, index: int) -> frozenset[str | float]:
        values = self._arguments[index]
        return frozenset() if values is None else values.plain

    def _is_said(self, text: str) -> bool:
        if letter_groups(text):  # a script without spaces
            return text.casefold() in self._texts
        words = words_in(_ENDING.sub("", text))
        return bool(words) and all(map(self._says, words))

    def _says(self, word: str) -> bool:
        """Return whether the user said *word*, or its plural or singular."""
        return word in self.said or word + "s" in self.said or word.removesuffix("s") in self.said


def singular(word: str) -> str:
    """
    Return a *word* without the ending of an English plural.

    >>> singular("cities"), singular("maps"), singular("bus")
    ('city', 'map', 'bus')
    """
    if len(word) < STEM or word[-1] != "s":
        return word
    return f"{word[:-3]}y" if word.endswith("ies") else word[:-1]

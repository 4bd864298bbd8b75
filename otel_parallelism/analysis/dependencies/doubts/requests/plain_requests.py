"""
Finds calls that the user spoke of in other words than a plain request, so that an earlier result may decide about them.

"Only bother with Poznan when they've run out there" names the second of two shops, and a condition. Each sentence that
names a call has to be a plain request; see `plain_sentences` and `foreign_sentences`. Of a text in a language that is
not known here, nothing is said.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.contents.tokens import words_in
from otel_parallelism.analysis.dependencies.effects.tool_verbs import split_name, words_in_name
from otel_parallelism.analysis.dependencies.effects.verb_tables import READS
from otel_parallelism.pace import empty, paced
from otel_parallelism.patterns import LazyPattern

from . import english_words as english
from .foreign_sentences import is_plain_in
from .languages import ENGLISH, language_of
from .plain_sentences import is_elliptic, is_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from otel_parallelism.analysis.dependencies.contents.comparables import Values
    from otel_parallelism.analysis.dependencies.doubts.reasking import Doubt
    from otel_parallelism.model import Call

    from .foreign_words import Language

_MOST_READ = 8_000
_SHORTEST = 3
_LONGEST = 64
# "We board soon, so please show the gate" has a reason that the user knows.
_SENTENCES = LazyPattern(
    r"([.!?;:\u2013\u2014]|(?<=\s)-)(?=\s|$)|\n+"
    r"|,? so (?=(?:please|could|can|find|show|get|give|list|search|i'd|I'd|I need|i need|we need|help)\b)"
)
# DSPy lists the tools in the user's message: "a valid Literal['get_weather', 'finish']".
_NO_PROSE = LazyPattern(r"""</?[A-Za-z][\w:-]{0,40}/?>|\[(?: ?['"]\w+['"],?)+\]""")
_FIELD = LazyPattern(r"""\b\w{1,40}=(?:'([^']*)'|"([^"]*)"|None|True|False|[\[{(\d])""")
_FEWEST_FIELDS = 2
_FULL_STOPS = (".", "!", "?", ";", None, "")
_ORDINAL = LazyPattern(r"(\d+)(?:st|nd|rd|th)")
_EMPTY = (
    english.JOINING
    | english.DETERMINERS
    | english.TELLING
    | english.POLITE
    | frozenset(
        """
        that not all any one two s t d m list get show find read check search true false none null name type info
        information details data value text
        """.split()  # noqa: SIM905 - a list of quoted words would be three times as long
    )
)
"""Words that do not tell one call from another."""

_WHY = "the user spoke of {b} in more than a plain request: whether it is called may depend on what {a} returned"


class PlainRequests:
    """Collects these doubts about the calls of one scope, in order of time."""

    def __init__(self, calls: Sequence[Call], arguments: Sequence[Values | None], texts: Iterable[str]) -> None:
        """
        Read what the user said.

        Args:
            calls: The calls of one scope in order of start.
            arguments: The values of their arguments.
            texts: The messages of the user.
        """
        self._words = [_words_of(call.tool, values) for call, values in zip(paced(calls), arguments, strict=True)]
        known = {form for words in paced(self._words) for form in words}
        explained = known.union(
            form
            for values in paced(arguments)
            if values is not None
            for name, _ in values.named
            for word in words_in_name(name)
            for form in _forms(word)
        )
        said = dict.fromkeys(one for text in texts for one in _prose_in(text[:_MOST_READ]))
        read = [_Read(text, known, explained) for text in paced(said)]
        self._loose = frozenset(word for one in read for word in one.loose)
        # The names of tools are English: the text may speak of any call that it does not name.
        self._all_others = any(one.is_foreign and one.has_loose for one in read)
        self._said = frozenset(word for one in read for word in one.said)
        self._ended = 0
        self._calls_with: dict[str, int] = {}

    def start(self, index: int) -> list[Doubt]:
        """Return the doubt about a call that starts: that of earlier calls which a sentence tells it apart from."""
        bits = 0
        if self._ended:
            bits = self._apart(self._words[index] & self._loose)
            if self._all_others:
                bits |= self._ended & ~self._apart(self._words[index] & self._said)
        return [(bits, _WHY)] if bits else []

    def forget(self) -> None:
        """Forget all calls, with pauses."""
        empty(self._words, self._calls_with)

    def _apart(self, words: Iterable[str]) -> int:
        """Return the ended calls that one of *words* does not belong to."""
        bits = 0
        for word in words:
            bits |= self._ended & ~self._calls_with.get(word, 0)
        return bits

    def end(self, index: int) -> None:
        """Take note of a call that ends."""
        bit = 1 << index
        self._ended |= bit
        for word in self._words[index] & self._said:
            self._calls_with[word] = self._calls_with.get(word, 0) | bit


def _prose_in(text: str) -> list[str]:
    """
    Return what a person wrote in *text*: without tags and lists in code, and of an object's text the texts it holds.

    >>> _prose_in("<query>Oslo?</query>"), _prose_in("id='4' content='Oslo?' kind=None")
    ([' Oslo? '], ['4', 'Oslo?'])
    """
    held = _FIELD.findall(text)
    if len(held) < _FEWEST_FIELDS:
        return [_NO_PROSE.sub(" ", text)]
    return [single or double for single, double in held if single or double]


class _Read:
    """
    What a message of the user says of calls.

    Attributes:
        said: Those of its words that belong to calls.
        loose: Those of them in sentences that are no plain requests.
        has_loose: Whether there is such a sentence, with a call's word or without.
        is_foreign: Whether the message is in a language other than English.
    """

    def __init__(self, text: str, known: AbstractSet[str], explained: AbstractSet[str]) -> None:
        """
        Read *text*.

        Args:
            text: The message.
            known: The words of the calls' names and arguments.
            explained: These, and the names of the arguments.
        """
        self.said: set[str] = set()
        self.loose: set[str] = set()
        self.has_loose: bool = False
        language = language_of(words_in(text), is_ascii=text.isascii())
        self.is_foreign: bool = language not in (ENGLISH, None)
        if language is None:
            return
        follows = False
        parts = _SENTENCES.split(text)
        for sentence, end in zip(parts[::2], [*parts[1::2], ""], strict=True):
            words = {form for word in words_in(sentence) if len(word) <= _LONGEST for form in _forms(word)} & known
            self.said |= words
            loose = follows or not _is_plain(language, sentence, explained)
            if loose:
                self.loose |= words
                self.has_loose = True
            # "Sold out? The other one.", and "a bad one: the other"
            elliptic = end == "?" and not words and language is ENGLISH and is_elliptic(sentence)
            goes_on = end not in _FULL_STOPS and english.FIRST_PERSON.isdisjoint(words_in(sentence)[:1])
            follows = elliptic or (loose and goes_on)


def _is_plain(language: Language, sentence: str, known: AbstractSet[str]) -> bool:
    return is_plain(sentence, known) if language is ENGLISH else is_plain_in(language, sentence, known)


def _words_of(tool: str, values: Values | None) -> frozenset[str]:
    """Return the words of a call's name, without its verb, and of its arguments, in the forms that texts have."""
    found = [word for word in split_name(tool)[1] if word not in READS]
    if values is not None:
        found += [word for atom in values.atoms for word in (*atom.token.split(), *atom.words)]
        found += [word for text in values.plain if isinstance(text, str) for word in words_in(text)]
    return frozenset(form for word in found if len(word) <= _LONGEST for form in _forms(word))


@lru_cache(maxsize=4096)
def _forms(word: str) -> tuple[str, ...]:
    """
    Return *word* in the singular and the plural, or a number without its ending; nothing of a word that all texts have.

    >>> _forms("buses"), _forms("15th"), _forms("the")
    (('bus', 'buse', 'buses'), ('15',), ())
    """
    ordinal = _ORDINAL.fullmatch(word)
    if ordinal:
        return (ordinal[1],)
    if word.isdecimal():
        return (word.lstrip("0") or word,)
    if word in _EMPTY:
        return ()
    if len(word) < _SHORTEST:
        return (word,)
    if word.endswith("es"):
        return word.removesuffix("es"), word.removesuffix("s"), word
    return (word, word.removesuffix("s")) if word.endswith("s") else (word,)

"""
Finds searches in words of the model's own, and paths that it put together: both may follow from an earlier result.

What a result says in a sentence, or in another language, a model searches for in words that stand in no result:
``power adapter for a ThinkPad`` after a list of purchases. A search in the user's words needs no result. In Chinese and
Japanese, groups of letters count as words. A path may be made of a directory and of a name that a file imports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.contents import tokens
from otel_parallelism.analysis.dependencies.effects.tool_verbs import words_in_name
from otel_parallelism.pace import empty
from otel_parallelism.patterns import LazyPattern

from .answers import is_measured
from .reasking import SEARCHES, Doubt, is_usual

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from otel_parallelism.analysis.dependencies.contents.comparables import Values
    from otel_parallelism.model import Call

_MOST_COMPARED = 64
_MOST_FACTS = 8
_LONGEST_FACT = 120
_SLASHES = frozenset("/\\")
_STEM = 5
_SHORTEST_WORD = 3
_FEWEST_WORDS = 2
_MANY_WORDS = 3
_ASKED = SEARCHES | frozenset({"q", "question", "keyword", "keywords", "term", "terms", "topic", "topics", "text"})
# An expression, a filter or a query in a language for programs is no text.
_PROSE = LazyPattern(r"[\w\s.,:?!&%°/+'\N{RIGHT SINGLE QUOTATION MARK}-]+")
_NAME = LazyPattern(r"(?<=\s)[A-Z][\w-]*[^\W\d]|^[A-Z]{2,}(?=\s)")
_PATH = LazyPattern(r"[\w.@~-]*(?:[/\\][\w.@~-]+)+")
_FILLERS = frozenset(
    """
    the and for with from into about what how who when where which why are was does did can best top new latest recent
    current list near between after before all
    """.split()  # noqa: SIM905 - a list of quoted words would be longer
)

_OWN = "{b} searches in words that appear nowhere before it, perhaps because of what {a} returned"
_ADDRESS = "an address that {b} was given appears nowhere before it, and may be made of what {a} returned"
_PUT_TOGETHER = "a path that {b} was given appears nowhere before it, and {a} returned the name of its file"


class OwnWords:
    """Collects these doubts about the calls of one scope, in order of time."""

    def __init__(self, calls: Sequence[Call], said: Collection[str]) -> None:
        """Take note of the words that the user *said*."""
        self._calls = calls
        self._said = frozenset(said)
        self._stems = {word[:_STEM] for word in self._said}
        self._groups = {group for word in self._said for group in tokens.letter_groups(word)}
        self._own: set[int] = set()
        self._facts: list[tuple[int, list[str]]] = []
        self._ended: list[int] = []
        self._measured: list[int] = []
        self._words: list[tuple[int, set[str]]] = []

    def start(self, index: int, arguments: Values, is_known: Callable[[str], bool]) -> list[Doubt]:
        """
        Return the doubts about a call that starts.

        Args:
            index: Its position.
            arguments: Their values.
            is_known: Returns whether a word is known so far, from the user or from another call.
        """
        found = [
            (self._named_in(arguments, is_known), _PUT_TOGETHER),
            (self._others_ended(index) if _has_own_address(arguments, is_known) else 0, _ADDRESS),
        ]
        texts = self._texts_of(index, arguments) if self._said else []
        words = [word for text in texts for word in tokens.words_in(text)]
        words = [word for word in words if len(word) >= _SHORTEST_WORD and word not in _FILLERS]
        own = [word for word in words if not is_known(word) and word[:_STEM] not in self._stems]
        groups = {group for text in texts for group in tokens.letter_groups(text)}
        unheard = len(groups) >= _FEWEST_WORDS and groups.isdisjoint(self._groups)
        self._groups |= groups
        tool = self._calls[index].tool
        if unheard or len(own) == len(words) >= _FEWEST_WORDS:
            self._own.add(index)
            # A search after one that was in words of the model's own too is its next question as likely as an answer.
            ended = self._ended[-_MOST_COMPARED:]
            found.append((_bits(i for i in ended if self._calls[i].tool != tool or i not in self._own), _OWN))
        elif _MANY_WORDS <= len(own) > len(words) // 2 or any(map(own.__contains__, _names_in(texts))):
            facts = [one for one in self._facts[-_MOST_COMPARED:] if self._calls[one[0]].tool != tool]
            found.append((_bits(i for i, texts in facts if max(map(len, texts)) <= _LONGEST_FACT), _OWN))
        elif _FEWEST_WORDS <= len(own) > len(words) // 2:
            # What it adds its words to may be what a result spoke of, though the user did so too.
            about = {word for word in words if word not in own}
            spoke = [i for i, inside in self._words[-_MOST_COMPARED:] if not about.isdisjoint(inside)]
            recent = *self._measured[-_MOST_COMPARED:], *spoke
            found.append((_bits({i for i in recent if self._calls[i].tool != tool}), _OWN))
        return [(bits, why) for bits, why in found if bits]

    def end(self, index: int, result: Values) -> None:
        """Take note of the *result* of a call that ends."""
        self._ended.append(index)
        # The names of fields are texts too.
        if not result.outcome and 0 < len(result.texts) <= 2 * _MOST_FACTS:
            self._facts.append((index, result.texts))
        if not result.outcome and is_measured(result.value):
            self._measured.append(index)
        if result.words:
            self._words.append((index, result.words))

    def forget(self) -> None:
        """Forget all calls, with pauses."""
        empty(self._facts, self._words, self._ended)

    def _others_ended(self, index: int) -> int:
        tool = self._calls[index].tool
        return _bits(i for i in self._ended[-_MOST_COMPARED:] if self._calls[i].tool != tool)

    def _texts_of(self, index: int, arguments: Values) -> list[str]:
        """Return the texts that a call searches for, or is asked."""
        texts = [text for text in arguments.plain if isinstance(text, str) and _has_words(text)]
        if not texts:
            return []
        searches = not SEARCHES.isdisjoint(words_in_name(self._calls[index].tool))
        named = {
            token
            for name, token in arguments.named
            if not _ASKED.isdisjoint(words_in_name(name)) or (searches and not is_usual(name))
        }
        return [text for text in texts if tokens.of_text(text)[0] in named and _PROSE.fullmatch(text)]

    def _named_in(self, arguments: Values, is_known: Callable[[str], bool]) -> int:
        """Return the results with the name of a file whose path appears nowhere before, nor its words with the user."""
        found = 0
        for path in arguments.plain:
            if not isinstance(path, str) or _SLASHES.isdisjoint(path) or not _PATH.fullmatch(path):
                continue
            if is_known(tokens.of_text(path)[0]):
                continue
            stem = set(tokens.words_in(path.replace("\\", "/").rpartition("/")[2].partition(".")[0]))
            if stem and not self._said.issuperset(tokens.words_in(path)):
                found |= _bits(earlier for earlier, words in self._words[-_MOST_COMPARED:] if stem <= words)
        return found


def _has_own_address(arguments: Values, is_known: Callable[[str], bool]) -> bool:
    """Return whether a URL among *arguments* appears nowhere before the call."""
    addresses = [text for text in arguments.plain if isinstance(text, str) and "://" in text and " " not in text]
    return any(not is_known(tokens.of_text(address)[0]) for address in addresses)


def _names_in(texts: Iterable[str]) -> list[str]:
    """Return the words with a capital in *texts* that have words in lower case too."""
    mixed = [text for text in texts if any(word.isalpha() and word.islower() for word in text.split())]
    return [word for text in mixed for name in _NAME.findall(text) for word in tokens.words_in(name)]


def _has_words(text: str) -> bool:
    return " " in text.strip() or len(tokens.letter_groups(text)) >= _FEWEST_WORDS


def _bits(indexes: Iterable[int]) -> int:
    return sum(1 << index for index in indexes)

"""
Finds conditions in a system prompt: "If an order leaves the country, check its customs status too".

System prompts are long and full of conditions, so a condition concerns a call only if its sentence names what the call
is about, and says nothing of what the user wants or of what the model knows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from otel_parallelism.analysis.dependencies.contents.tokens import sentences_in, words_in
from otel_parallelism.analysis.dependencies.effects import verb_tables
from otel_parallelism.analysis.dependencies.effects.tool_verbs import noun_of, words_in_name
from otel_parallelism.pace import paced
from otel_parallelism.patterns import CaselessPattern

from .languages.foreign_conditions import has_foreign_condition, has_foreign_rule
from .requests.languages import ENGLISH, language_of
from .requests.plain_sentences import is_plain_rule

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

MOST_READ = 20_000
"""The characters of a prompt that are searched."""
LONGEST_SENTENCE = 400
"""A longer sentence is a listing, or no prose."""
MOST_PROMPTS = 32
"""What so many prompts say is remembered."""

_STEM = 5
SAYING_NOTHING = (
    verb_tables.READS | verb_tables.GENERIC | {"user", "users", "customer", "customers", "by", "all", "details"}
)
"""Words in the names of tools that say little of what they are about."""

_SHORTEST_WORD = 3
_MOST_SENTENCES = 400
_COMMON = frozenset(
    """
    about after also always before call calls data each every from have here into list make more most must name need
    never next none note only order other over please result should some such than that their them then there these
    they this time tool tools true type under used user value what when where which with will without would your open
    true false null help item items
    """.split()  # noqa: SIM905 - a list of quoted words would be three times as long
)
_CONDITION = CaselessPattern(
    r"\b(?:if|unless|when|whenever|once|only|otherwise|in case|depending on|provided that|except|until|while"
    r"|above|below|beyond|exceed\w*|calls? for|more than|less than|fewer than|at least|at most|over \d\S*|under \d\S*"
    r"|greater|lower than|for (?:\w+ ){1,3}(?:always|also|only|please|additionally)"
    r"|for (?:\w+ ){1,2}(?:that|which|who|with) )\b"
    r"|^\W*where\b|[<>]=? ?\d"
    # "Late orders need a refund code", but not "You need …" or "Every order needs …".
    r"|^\W*(?!(?:every|each|all|any|you|we|i|the (?:user|customer|agent))\b)(?:[\w-]+ ){1,5}(?:needs?|requires?) \w",
)
# What the user wants is known before the first call.
_OF_THE_USER = CaselessPattern(
    r"\b(?:the|a|an|your|if|when|whenever|once) ?(?:users?|customers?|clients?|callers?|they|he|she|people|someone)"
    r" (?:asks?|asked|wants?|requests?|requested|needs?|says?|said|mentions?|mentioned|provides?|gives?|gave|specif\w+"
    r"|wish\w*|would like|names?|describes?|is looking|has (?:asked|given|said)|does ?n[o']t|inquires?)"
    r"|\b(?:if|when|whenever|unless|once) (?:asked|requested|needed|necessary|possible|unsure|relevant|applicable"
    r"|appropriate|required|in doubt|you|in need|told|prompted|answering|using|calling|searching|responding)\b"
    r"|\bas (?:needed|necessary)\b",
)

# Says that one thing comes before another.
_ORDER = CaselessPattern(
    r"^\W*(?:before|prior to|ahead of)\b|\b(?:before|prior to) (?:you|any|each|every|the|an?|\w+ing)\b"
    r"|\b(?:always|must|should|need to|have to|has to|make sure|be sure)\b[^.!?]*\b(?:first|before|beforehand)\b"
    r"|\bonly after\b|\bnever\b[^.!?]*\bwithout\b",
)


class Rules:
    """
    The conditions, and the orders of steps, in the texts of a system prompt.

    ``in_another_language`` is true if one says in another language what to look up in which case: the names of tools
    are English, so that it may concern any of them.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        """Search *texts*; of a long text only the beginning."""
        found = [_rules_in(text[:MOST_READ]) for text in paced(dict.fromkeys(texts))]
        self._stems: list[frozenset[str]] = [stems for one in found for stems in one.conditions]
        self._orders: list[frozenset[str]] = [stems for one in found for stems in one.orders]
        self._sentences: list[frozenset[str]] = [stems for one in found for stems in one.sentences][:_MOST_SENTENCES]
        self.in_another_language: bool = any(one.foreign for one in found)

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._stems or self._orders or self._sentences)

    def concern(self, tool: str, own: Collection[str]) -> bool:
        """
        Return whether a condition may decide about a call of *tool*.

        Args:
            tool: The tool's name.
            own: The words of its arguments that the user did not say.

        >>> rules = Rules(["Be brief. If the order is late, look up the refund options. If asked, get the weather."])
        >>> rules.concern("get_refund_options", []), rules.concern("get_weather", []), rules.concern("get_customer", [])
        (True, False, False)
        """
        sought = stems_of(nouns_of(tool)) | stems_of(own) if self._stems else ()
        return any(not stems.isdisjoint(sought) for stems in self._stems)

    def named_with(self, words: Iterable[str]) -> frozenset[str]:
        """
        Return the stems of the sentences that have one of *words*, which a result returned, without its own.

        >>> rules = Rules(["Gold members get a lounge. Others get a voucher. Be polite."])
        >>> sorted(rules.named_with(["gold"]))
        ['get', 'loung', 'membe']
        """
        told = stems_of(word for word in words if len(word) > _SHORTEST_WORD and word not in _COMMON)
        return frozenset[str]().union(*(stems - told for stems in self._sentences if not stems.isdisjoint(told)))

    def order(self, earlier: str, later: str) -> bool:
        """
        Return whether one of two tools may have to be called before the other.

        >>> rules = Rules(["Before you read a contract, look up its customer."])
        >>> rules.order("get_customer", "list_contracts"), rules.order("get_customer", "get_weather")
        (True, False)
        >>> rules.order("get_customer", "get_contract_text"), rules.order("get_contract", "get_contract_text")
        (True, False)
        """
        if not self._orders:
            return False
        before, after = stems_of(nouns_of(earlier)), stems_of(nouns_of(later))
        # What both are about tells neither from the other.
        first, then = before - after, after - before
        return any(not (stems.isdisjoint(first) or stems.isdisjoint(then)) for stems in self._orders)


class _Found(NamedTuple):
    """The stems of the conditions, of the orders and of all rules in a text, and whether one is foreign."""

    conditions: list[frozenset[str]]
    orders: list[frozenset[str]]
    sentences: list[frozenset[str]]
    foreign: bool


@lru_cache(maxsize=MOST_PROMPTS)
def _rules_in(text: str) -> _Found:
    """Search *text*, which takes several milliseconds; all turns of an agent have one system prompt."""
    found = _Found([], [], [], foreign=False)
    foreign = False
    in_english = language_of(words_in(text), is_ascii=text.isascii()) is ENGLISH
    for sentence in paced(sentences_in(text)):
        if len(sentence) > LONGEST_SENTENCE:
            continue
        conditional = has_foreign_condition(sentence)
        foreign = foreign or has_foreign_rule(sentence, conditional=conditional)
        stems = stems_of(words_in(sentence))
        of_the_user = _OF_THE_USER.search(sentence)
        plain = not in_english or is_plain_rule(sentence)
        if (conditional or not plain or _CONDITION.search(sentence)) and not of_the_user:
            found.conditions.append(stems)
        if _ORDER.search(sentence):
            found.orders.append(stems)
        if not of_the_user and len(found.sentences) < _MOST_SENTENCES:
            found.sentences.append(stems)
    return found._replace(foreign=foreign)


def nouns_of(tool: str) -> list[str]:
    """Return the words of a tool's name that say what it is about: ``fraud`` and ``score`` of ``get_fraud_score``."""
    words, noun = words_in_name(tool), noun_of(tool)
    if not noun:
        return []
    return [*(word for word in words[: words.index(noun)] if word not in SAYING_NOTHING), noun]


def stems_of(words: Iterable[str]) -> frozenset[str]:
    """Return the first letters of longer *words*, of codes, and of words of other scripts, without an s of a plural."""
    longer = (word for word in words if len(word) >= _SHORTEST_WORD or not word.isascii() or _is_code(word))
    return frozenset(word.removesuffix("s")[:_STEM] for word in longer)


def _is_code(word: str) -> bool:
    """Return whether a short *word* is one such as ``3b``."""
    return any(map(str.isdecimal, word)) and any(map(str.isalpha, word))

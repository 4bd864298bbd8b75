"""Finds conditions in what the user asked, such as "if it rains, list indoor events" or "stop at the first"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.contents import tokens
from otel_parallelism.pace import paced
from otel_parallelism.patterns import CaselessPattern, LazyPattern

from .languages.foreign_conditions import has_foreign_condition

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# "Check if it rains" asks a question, "if possible" is polite, and "if I fly to Rome" supposes: none is a condition.
NO_CONDITION = LazyPattern(
    r"\b(?:check|checks|checking|see|seeing|know|tell (?:me|us)|find out|ask|asks|wonder|wondering|verify|determine"
    r"|confirm|sure|say|as|even|what|great|nice|appreciate it|grateful) if\b"
    r"|\bif (?:possible|applicable|any|you (?:can|could|please|will|would|like|want|wish|need|don't mind))\b"
    r"|\bif (?:i|we) (?:fly|flew|go|went|travel|move|moved|take|took|stay|stayed|leave|left|book|booked|were)\b"
    r"|\b(?:\w+(?:one|body|thing|where)|who|what|how|no one) else\b",
    re.IGNORECASE,
)
"""Phrases with a word for a condition that have none."""
_CONDITION = CaselessPattern(
    r"\b(?:if|unless|in case|depending on|as long as|provided (?:that|it|they)|whenever|except (?:when|if|where)"
    r"|should (?:it|they|there|that|(?:the|my|our|any|an?|this)(?=[^.!?]*,))|once (?:it|that|they))\b"
    # "Under ten I want the supplier" is a condition, and "under ten euros, please" is none.
    r"|^\W*(?:under|over|above|below|beyond|(?:more|less|fewer) than|at (?:least|most)) \w+,? (?:i|we) "
    r"|^\W*(?:were|had) (?:the|my|our|his|her|it|they|there|any|this|that) [^.!?]{1,80},"
    # "When does it close, and where is it?" is a question, and "when I land" supposes.
    r"|^\W*when (?!(?:i|we|you|do|does|did|is|are|was|were|will|can|could|should|would|has|have|had|shall|must)\b)"
    r"[^,]*,",
)
_ENDS_A_SEARCH = CaselessPattern(
    r"^\W*(?:prefer|(?:start|begin) with)\b|\b(?:until|till (?:you|it|i|we|they|there|one|an?|the)"
    r"|otherwise|else|fall ?back|whichever|as soon as(?! possible)"
    r"|\bfirst (?:\w+ ){0,2}(?:is|will be|would be) (?:enough|sufficient|fine|all)"
    r"|stop (?:at|when|as soon|once|after)|any one of"
    r"|(?:only|just) (?:need|want|require)s? (?:the )?(?:one|1|first)(?! (?:of|from|for) (?:each|every|both))"
    r"|(?:one|either|that) (?:of (?:them|these) )?(?:is|(?:will|may|might|should|could) be) (?:enough|sufficient)"
    r"|(?:decide|judge|choose) (?:about|on|whether|if|which)"
    r"|try\b[^.!?]{0,60}\bthen\b|prefer\b[^.!?]{0,40}\b(?:over|rather than|instead of)"
    r"|only\b[^.!?]{0,60}\b(?:when|after|if|once)|only (?:\w+ )?(?:matters?|counts?|applies|relevant|interesting)"
    r"|(?:is|being|as) (?:the|a|my|its|our) (?:spare|stand-?by|reserve|backup|substitute|alternative)(?! \w)"
    # Who is left over shows only in what the others are.
    r"|(?:who|which)\b[^.!?]{0,60}(?:\bnot|n't|\bnever|\bneither)"
    r"|(?:i|we)(?:'d| would)(?: rather)? (?:take|go|use|switch|move|change)|(?:'d| would) rather"
    r"|(?:justif(?:y|ies)|warrants|merits|calls for|makes it worth) (?:an?|the|my|our|its|their|\w+ing)"
    r"|barring|providing (?:that|it|they)|absent (?:an?|any|that|the)|lacking (?:an?|any|that)|pending (?:the|an?"
    r"|your|their)|subject to"
    r"|so long as"
    r"|short of|save (?:for|when|if)|seeing that|no (?:joy|luck|go|dice)|anything (?:\w+ ){0,2}(?:of|than|over"
    r"|above|below"
    r"|under|beyond) \W?\d|solely|out of (?:range|bounds|spec|tolerance|limits?)|(?:ought to|should|will|would)"
    r" (?:do|suffice)(?=[ ,.;:]*(?:$|[,.;:]))|fill (?:an?|the|any) gaps?|(?:once|until) (?:we|you|i|he|she)"
    r"|worth (?:it|a look)|(?<=, )(?:where|when) [^,.!?]{3,40}(?=,)"
    r"|means (?:that )?(?:i|we) (?:want|need|would|must|have to)"
    r"|(?:once|after|as soon as) (?:\w+ ){1,4}(?:has|have) (?:been|\w+ed|begun|gone|come|risen|fallen|run)"
    r"|(?:supposing|suppose) (?:that|the|it|they|there|my|our)|in the event (?:of|that)"
    r"|the first of (?!(?:january|february|march|april|may|june|july|august|september|october|november|december|the"
    r" (?:month|year|week))\b)[^.!?]{1,60}\b(?:with|that|which|whose|where|to|over|above|below|under)"
    r"|the first (?:free|available|working|suitable|valid|matching|open|successful|reachable|healthy|good) one"
    r"|when\b.{0,40}\b(?:is|are) (?:un\w+|not|missing|empty|down|closed|incomplete|stale|full)"
    r"|(?:as|where|when) (?:needed|necessary)|accordingly|after you (?:know|have|get|got|see|read)"
    r"|(?:decides?|determines?) (?:on|about|whether|if|which|what)"
    r"|based on (?:it|its|that)|going by (?:it|its|that|this)"
    r"|(?:may|might|could|would) (?:call for|require|justify|warrant)|(?:it|that|this) depends on"
    r"|(?:not|never|\w+n't)\b[^.!?]{0,60}\bbefore (?:\w+ ){1,4}"
    r"(?:(?:has|have|is|are) \w+|answer|respond|return|finish)\w*"
    r"|assuming|failing (?:that|this|which)|no luck|as an? (?:backup|last resort|plan b)"
    r"|one (?:request|call) (?:per|a|every) \w+|(?:after|once) (?:that|it|the first) (?:has|is|comes|came)"
    r"|if (?:so|not|yes|no|none|neither|that|this|the first)"
    r"|if (?:there|it|they|he|she|any|one|some) (?:is|are|was|were|does|do|did|has|have|had|can|will|find)"
    r"(?:n't| not)? ?(?:any|one|some|none|something|nothing)?(?=\s*(?:[,:-]|then\b|$))"
    r"|should (?:it|that|this|they) (?:be|have|turn|prove|come|show|exceed|fall|drop|rise|fail)"
    r"|(?:wake|notify|ping|alert|remind) (?:me|us) (?:when|once|as soon as)"
    r"|(?:but|and) only then|the first (?:one )?(?:that|which|with)"
    r"|first,? (?:please )?(?:check|verify|confirm|make sure|ensure) (?:that|whether|if)"
    r"|(?:check|verify|confirm|make sure|ensure|ask)\b[^.!?]{0,60}\b(?:first(?=\W*$|,| and)|before))\b",
)
# At the beginning of a message, this refers to what was said before it.
_IN_THAT_CASE = CaselessPattern(r"\bin (?:that|this|which) case\b")
# "Rainy in Bergen? Then list museums." and "Not helpful? Get the whole text."
_QUESTION_FIRST = CaselessPattern(r"\w\?\s+then\b|(?:^|[.!?;:]\s+)(?:not?|none|nothing|too|still)(?: \w+){0,3}\?\s+\w")
_BEGINNING = 20
# What is to be done to "it" may be named in another sentence.
_REFERS_BACK = CaselessPattern(
    r"\b(?:show|read|open|get|fetch|list|tell|give|print|summari[sz]e|check|find|use|load|view|include|add)"
    r" (?:me |us )?(?:it|them|this|that|those|one|its|their)\b"
    r"|\b(?:show|get|fetch|list|tell|give|find|use|suggest|recommend|propose|name|pick|choose|try|search|look|go)"
    r" (?:(?:me|us|for|to|at) )?(?:another|(?:an )?alternatives?|(?:a )?different|others?|(?:some(?:thing|where) )?else"
    r"|elsewhere)\b",
)
_MOST_READ = 8_000
_LONGEST_SENTENCE = 400
_SHORTEST_WORD = 3


class Conditions:
    """
    The conditions in what was asked.

    A condition concerns the calls that share a word with its sentence, unless the word stands in other sentences too.
    A condition that ends a search, or that refers to what was said before it, may concern every call. So may one
    in another language, which shares few words with the names of tools.
    """

    def __init__(self, texts: Iterable[str], *, concern_all: bool = False) -> None:
        """Search *texts*, the user's messages, of a long text only the beginning; or one is known to *concern_all*."""
        self._all = concern_all
        self._words: set[str] = set()
        others: set[str] = set()
        for text in dict.fromkeys(texts):
            self._all = self._all or _IN_THAT_CASE.search(text[_BEGINNING:_MOST_READ])
            self._all = self._all or _QUESTION_FIRST.search(text[:_MOST_READ])
            for sentence in paced(tokens.sentences_in(text[:_MOST_READ])):
                plain = sentence if len(sentence) <= _LONGEST_SENTENCE else ""
                lowered = plain.lower()
                if "if" in lowered or "else" in lowered or not plain.isascii():
                    plain = NO_CONDITION.sub(" ", plain)
                conditional = _CONDITION.search(plain)
                self._all = self._all or _ENDS_A_SEARCH.search(plain)
                self._all = self._all or has_foreign_condition(plain)
                self._all = self._all or (conditional and _REFERS_BACK.search(plain))
                (self._words if conditional else others).update(_stems(tokens.words_in(sentence)))
        self._words -= others

    def concern(self, words: Collection[str]) -> bool:
        """
        Return whether a condition may decide about a call.

        Args:
            words: The words of the call's name and arguments.

        >>> asked = Conditions(["If it rains in Oslo, list indoor events there. And the weather in Rome?"])
        >>> asked.concern(["oslo"]), asked.concern(["list", "event"]), asked.concern(["rome"])
        (True, True, False)
        >>> Conditions(["Check if Oslo and Rome are sunny."]).concern(["oslo"])
        False
        """
        return self._all or (bool(self._words) and not self._words.isdisjoint(_stems(words)))


def _stems(words: Iterable[str]) -> set[str]:
    """Return the longer of *words*, and the numbers, without the s of a plural."""
    return {word.removesuffix("s") for word in words if len(word) >= _SHORTEST_WORD or word.isdecimal()} - _EMPTY


_EMPTY = frozenset(
    """
    the and for with get li list find search show read check tell give what which there then also about into from that
    thi have has are was wa doe not any all please can could would you your
    """.split()  # noqa: SIM905 - a list of quoted words would be three times as long
)

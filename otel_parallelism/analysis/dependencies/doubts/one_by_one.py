"""
Finds calls that may have to be made one by one although no value is passed on.

The user or a system prompt may say so: "The price API allows one request at a time". And two calls may read through
one open file or one cursor, whose position either moves.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.contents.tokens import sentences_in, words_in
from otel_parallelism.analysis.dependencies.effects import verb_tables
from otel_parallelism.analysis.dependencies.effects.tool_verbs import words_in_name
from otel_parallelism.pace import paced
from otel_parallelism.patterns import CaselessPattern

from .languages.foreign_orders import has_foreign_limit, has_foreign_order
from .rules import LONGEST_SENTENCE, MOST_PROMPTS, MOST_READ, stems_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from otel_parallelism.analysis.dependencies.contents.comparables import Values
    from otel_parallelism.model import Call

    from .reasking import Doubt

_LIMIT = CaselessPattern(
    r"\b(?:(?:one|1|single|two|2|few) (?:\w+ ){0,3}(?:at (?:a|one|any) time|at once)"
    r"|(?:one|1|single|two|2|\d+) (?:\w+ )?(?:requests?|calls?|quer(?:y|ies)|lookups?|searche?s?|reads?|connections?"
    r"|sessions?|users?|clients?) (?:per|a|an|every|each) (?:\d+ )?(?:second|minute|hour|day|client|user|key|caller)s?"
    r"|(?:not?|never|\w+n't)\b[^.!?]{0,40}\bmore than (?:one|1|a single|two|2) (?:\w+ )?(?:requests?|calls?"
    r"|quer(?:y|ies)|lookups?|connections?|sessions?)(?: (?:at|in|open|per)\b|\W*$)"
    r"|rate[- ]?limited|throttles|throttled|(?:has|have|mind|respect|observe|hit|obey|exceed) "
    r"(?:(?:the|a|an|its|their|our|any|strict|low|tight) ){0,2}rate[- ]?limits?"
    r"|(?:never|not|no|\w+n't|cannot|avoid|without|forbids?|bans?|rejects?|refuses?|blocks?|locks? out|fails?)"
    r"\b[^.!?]{0,80}\b(?:in parallel|parallel|at (?:once|the same time)|simultaneous(?:ly)?|concurrent(?:ly)?"
    r"|back[- ]to[- ]back|in (?:quick|rapid) succession)"
    # One has to be over before the next begins.
    r"|wait (?:for|until|till) (?:each|every|one|its|the (?:last|previous|prior|first|preceding|earlier|one before))\b"
    r"[^.!?]{0,80}\b(?:before|then)|let (?:the|each|every|any|one) [^.!?]{1,40}\b(?:finish|end|complete|return|settle)"
    r"|(?:until|till|before|after|unless|once) (?:the |its |each |every )?(?:previous|last|prior|preceding"
    r"|earlier|first)"
    r"(?: \w+){0,3}? (?:has|have|is|ends?|ended|finish\w*|complete\w*|return\w*|answer(?:s|ed)|came)"
    r"|(?:not?|never|\w+n't|avoid|without)\b[^.!?]{0,40}\boverlap\w*|\b(?:if|when) they overlap"
    r"|before \w+ing (?:to )?(?:another|the (?:next|other)|any other|a (?:second|further|different))"
    # The time between two places is no pause.
    r"|(?:pause|wait|sleep|rest|gap|delay|moment)s? (?:\w+ ){0,3}(?:in )?between|time (?:\w+ ){0,3}in between"
    r"|(?:leave|allow|let|give|some|enough|more) (?:\w+ ){0,3}time (?:\w+ ){0,3}between"
    # It has one place.
    r"|(?:has|have|with|serves?|accepts?|allows?|supports?|handles?|tolerates?|takes?|permits?|answers?)"
    r" (?:only |just |but |at most )?(?:a single|one|1) (?:\w+ )?(?:head|reader|channel|slot|worker|client"
    r"|thread|socket"
    r"|port|lane|request|query|read|call|lookup|caller|consumer|connection|session|user)s?"
    r"|(?:cannot|can ?not|unable to|(?:does|do|must|should|may) not|\w+n't) (?:serve|handle|take|answer|process|accept"
    r"|tolerate|support|cope with) (?:two|2|several|multiple|more than|concurrent|parallel|simultaneous)"
    r"|(?:carries|carry|has|have|holds?|bears?|allows?|admits?|fits?|serves?) (?:only|just|at most) (?:one"
    r"|a single|1) \w+"
    r"|shares? (?:a|an|one|the same|a single) (?:\w+ )?(?:bus|line|link|channel|port|socket|connection|session"
    r"|lock|modem)"
    # It is used up.
    r"|single[- ]use|one[- ]time (?:token|key|code|pass|link)s?|(?:dies|expires?|is (?:void|invalid|burnt|gone"
    r"|used up))"
    r" (?:after|with|on) (?:a|one|each|every|the first|its first|a single) (?:use|read|call|request|lookup|access)"
    r"|(?:good|valid) for (?:only )?(?:one|a single|1) (?:\w+ )?(?:use|read|call|request|lookup|access)"
    r"|only (?:then|afterwards?|after that)|(?:one|1|a single) (?:concurrent|simultaneous|parallel) \w+"
    r"|half[- ]duplex|seriali[sz]ed|serially|single[- ]threaded|not (?:thread|concurrency)[- ]?safe"
    r"|one[- ]at[- ]a[- ]time)\b",
)
# Only of a user's own words: a system prompt that asks for this of all tools is what the advice is to change.
# "One by one" is left out: it says as often that nothing is to be forgotten.
_IN_TURN = CaselessPattern(
    r"\b(?:one after (?:another|the other)|sequentially|in sequence|serially"
    r"|in (?:(?:exactly|precisely|strictly) )?(?:this|that|the (?:following|given|listed|stated|same))"
    r" (?:(?:exact|strict|very) )?(?:order|sequence)|in (?:exactly |precisely |strictly )?the (?:order|sequence)"
    r" (?:given|listed|stated|i |of )|in strict (?:order|sequence)"
    r"|(?:,|and|but) (?:not|never) before(?! (?:at )?\d| noon| midnight)|only (?:then|afterwards?)"
    r"|space (?:them|these|those|it|the \w+) out|spaced (?:out|apart)|stagger(?:ed)?"
    r"|when (?:you(?:'re| are) )?(?:done|finished|through) with|leave (?:some |a |enough )?(?:time|moment|gap"
    r"|pause) (?:in )?between|(?:pause|wait|rest) (?:in )?between"
    r"|only after (?:that|this|which)|(?:be|is|are) \w+ prior to"
    r"|(?:(?<!the )(?<!a )(?<!average )(?<!n't )(?<!n\u2019t )(?<!cannot )(?<!need to )wait|hold off)"
    r" (?:for|until|till))\b",
)
_SERVICE = CaselessPattern(
    r"\b(?:api|service|server|backend|site|website|database|endpoint|gateway|provider|device|bus|link"
    r"|channel|modem|controller|instrument|token|credential|licen[cs]e)(?:s|es)?\b"
)
# A sentence on tools in general asks for the order that the advice is to change.
_GENERAL = verb_tables.READS | verb_tables.GENERIC
# A name such as a handle of a person has no digits.
_HANDLES = frozenset({"fd", "descriptor", "cursor", "iterator", "handle"})

_LIMITED = "a limit on how often a service may be asked was set, and {a} and {b} may both ask it"
_ORDERED = "what was asked is to be done one after another"
_SHARED = "{a} and {b} were given one handle, and either may move its position"


class OneByOne:
    """Collects these doubts about the calls of one scope, in order of time."""

    def __init__(self, calls: Sequence[Call], said: Sequence[str], instructions: Iterable[str]) -> None:
        """Search what the user *said*, and the developer's *instructions*; of a long text only the beginning."""
        self._calls = calls
        self._in_turn = any(
            _IN_TURN.search(text) or has_foreign_order(text)
            for text in paced([one[:MOST_READ] for one in dict.fromkeys(said)])
        )
        self._limited = 0
        self._by_handle: dict[tuple[str, str], int] = {}
        limits = [_limits_in(text[:MOST_READ]) for text in paced(dict.fromkeys(said))]
        limits += [_limits_in_prompt(text[:MOST_READ]) for text in paced(dict.fromkeys(instructions))]
        self._any_service = any(any_service for any_service, _ in limits)
        self._stems: frozenset[str] = frozenset().union(*(stems for _, stems in limits))

    def start(self, index: int, arguments: Values, is_said: Callable[[str], bool]) -> list[Doubt]:
        """
        Return the doubts about a call that starts.

        Args:
            index: Its position.
            arguments: The values of its arguments.
            is_said: Returns whether the user said a word: a handle that the user names is a thing.
        """
        found: list[Doubt] = [((1 << index) - 1, _ORDERED)] if self._in_turn else []
        if self._any_service or not self._stems.isdisjoint(self._own_stems(index)):
            found.append((self._limited, _LIMITED))
            self._limited |= 1 << index
        for name, token in arguments.named:
            if not _HANDLES.isdisjoint(words_in_name(name)) and any(map(str.isdecimal, token)) and not is_said(token):
                before = self._by_handle.get((name, token), 0)
                found.append((before, _SHARED))
                self._by_handle[name, token] = before | 1 << index
        return [doubt for doubt in found if doubt[0]]

    def _own_stems(self, index: int) -> frozenset[str]:
        return _stems(words_in_name(self._calls[index].tool))


def _limits_in(text: str) -> tuple[bool, frozenset[str]]:
    """Return whether *text* sets a limit that may be that of any service, and the stems of what else has one."""
    stems: set[str] = set()
    for sentence in paced(sentences_in(text)):
        if len(sentence) > LONGEST_SENTENCE:
            continue
        # The names of tools are English.
        foreign = has_foreign_limit(sentence)
        if foreign or _LIMIT.search(sentence):
            if foreign or _SERVICE.search(sentence):
                return True, frozenset()
            stems |= _stems(words_in(sentence))
    return False, frozenset(stems)


_limits_in_prompt = lru_cache(maxsize=MOST_PROMPTS)(_limits_in)
"""All turns of an agent have one system prompt."""


def _stems(words: Iterable[str]) -> frozenset[str]:
    return stems_of(word for word in words if word not in _GENERAL)

"""
Finds calls that the user did not ask for by name, where an earlier result may have led to them.

"Why is the shop slow?" names no tools: that the model looks at the database follows from what the metrics showed, and
so it may be with "deal with ticket 7", once the ticket was read. And a system prompt may say what to look at in which
case, with a condition or without one: "Gold members get a lounge". A call for something else that the user named, or
with a tool that the user named, needs no result. Where a part of what the user said is cut off or left out, any
condition may have stood there: then only calls of one tool count as asked for together. Where no message was recorded
at all, the values of calls and results decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.contents.placeholders import is_content
from otel_parallelism.analysis.dependencies.contents.tokens import words_in
from otel_parallelism.analysis.dependencies.effects.tool_verbs import noun_of
from otel_parallelism.patterns import CaselessPattern

from .answers import tells_facts, values_in
from .reasking import is_usual
from .rules import SAYING_NOTHING, Rules, nouns_of, stems_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from otel_parallelism.analysis.dependencies.contents.comparables import Values
    from otel_parallelism.model import Call

    from .reasking import Doubt

_MOST_READ = 8_000
_STEM = 4
_SEEKS_A_CAUSE = CaselessPattern(
    r"\b(?:why|how come|investigat\w+\b(?! how| whether)|diagnos\w+|debug\w*|troubleshoot\w*|root[- ]?cause"
    r"|what (?:is|was|went|goes|has gone) wrong|what(?:'s| is| has been)? (?:caus\w+|break\w*|broke|happen\w+)"
    r"|find out what|figure out|get to the bottom|track down|reasons? (?:for|of|behind)|look into"
    r"|(?:do|does|did|is|are|was|were|has|have|will|can)(?: not|n't|nt) (?:\w+ )?(?:r[ua]n|start|respond|load|open"
    r"|arriv|c[ao]me|connect|build|compil|boot|sync|sen[dt]|finish|work|show|answer)\w*"
    r"|what(?:'s| is) up|what (?:now|next)|what (?:should|can|could|do|must) (?:i|we) do|assess"
    r"|fix\b|fail\w*|crash\w*|brok\w+|stuck|hangs?|(?:is|are|goes|went|keeps) (?:\w+ )?(?:down|slow|offline)"
    r"|warum|wieso|weshalb|ursache|untersuch\w*|woran|por ?qu[eé]|averigua\w*|investiga(?!t)\w*|pourquoi|enqu[eê]te\w*"
    r"|perch[eé]|waarom|varf[oö]r|hvorfor|miksi|dlaczego|pro[cč]|neden|почему|причин\w*)(?!\w)"
    r"|为什么|為什麼|为何|原因|排查|调查|なぜ|どうして|왜|원인",
)
# What is to be done about a thing shows in what is known of it.
_HANDLES = CaselessPattern(
    r"\b(?:handle|deal with|(?:take|taking) care of|triage|respond to|reply to|sort out|resolve|look after|see to"
    r"|attend to|act on|follow up|work (?:on|through)|help \w+ with|help(?=\s*[.!?]|\s*$)|advise|manage|settle"
    r"|close out|get to work|make sense of|see what|clean up|assess|evaluate|anything else"
    r"|(?:status|state|condition) of|bring \w+ \S+ to"
    r"|process (?:the|this|that|my|our|his|her|their|claim|order|ticket|request|application|return|refund|case|invoice)"
    r"|review (?:the|this|that|my|our|his|her|their|pull|pr|merge|change|claim|order|ticket|request|application|case)"
    r"|answer (?:the|this|that|my|our|his|her|their|mail|email|letter|message|ticket|question|customer|request)"
    r"|prepare (?:an?|the|my|our|\w+'s)? ?(?:reply|response|answer|quote|offer|decision|hearing|appeal|defen[cs]e)"
    r"|get \w+ \S+ (?:\w+ )?(?:healthy|working|running|fixed|sorted|well|back|up))\b"
)
_CAUSE = "what {a} returned may have led to {b}: who asked seeks a cause or a solution, and names nothing of {b}"
# In a rule that a result cites. "When" and "above" stand in texts of all kinds.
_CONDITION = CaselessPattern(
    r"\b(?:if|unless|only (?:when|where|after|with|for)|provided that|except (?:when|if|where)|depend(?:s|ing) on"
    r"|otherwise|falls|wenn|sofern|au[sß]er|es sei denn|sauf|à condition|salvo|siempre que|a menos)\b"
)
_MOST_TEXTS = 64
_LONGEST_TEXT = 120
_MOST_LINKED = 64
_MOST_RULES = 8
_LONGEST_RULE = 2_000
_CUT = ("...", "…", "truncated]", "truncated>", "truncated)")
_UNHEARD = "what was asked was not recorded in full: whether {b} is called may depend on what {a} returned"
_RULE = "the system prompt has a condition: whether {b} is called may depend on what {a} returned"
_SPOKEN_OF = "{a} returned a word for what {b} is about, which the user did not name"
_RULING = "{a} returned a rule with a condition, which may be why {b} was called"
_LINK = "the system prompt has a rule on what {a} returned, which may be why {b} was called"
_ORDER = "the system prompt may want {a} to be called before {b}"


class Unasked:
    """Collects these doubts about the calls of one scope, in order of time."""

    def __init__(self, calls: Sequence[Call], spoken: Sequence[Values], said: Collection[str]) -> None:
        """
        Find out whether the user seeks a cause, and which conditions the system prompt has.

        Args:
            calls: The calls.
            spoken: The messages of the user and the developer.
            said: The words of the user.
        """
        self._calls = calls
        self._rules = Rules([text for values in spoken for text in values.instructions])
        self._seeks = any(_SEEKS_A_CAUSE.search(text[:_MOST_READ]) for values in spoken for text in values.texts)
        self._handles = any(_HANDLES.search(text[:_MOST_READ]) for values in spoken for text in values.texts)
        self._factual = 0
        texts = [text for text in (text.strip() for values in spoken for text in values.texts) if text]
        cut = any(text.endswith(_CUT) for text in texts)
        hidden = any(not values.whole or values.instructions for values in spoken)
        self._in_part = cut or (not any(is_content([text], alone=True) for text in texts) if texts else hidden)
        self._stems = {word[:_STEM] for word in said}
        self._given: set[str] = set()
        self._ended = 0
        self._ended_of: dict[str, int] = {}
        self._told: list[tuple[int, set[str]]] = []
        self._ruling = 0
        self._linked: list[tuple[int, frozenset[str]]] = []

    def start(self, index: int, arguments: Values, is_known: Callable[[str], bool]) -> list[Doubt]:
        """
        Return the doubts about a call that starts.

        Args:
            index: Its position.
            arguments: The values of its arguments.
            is_known: Returns whether a word is known so far, from the user or from another call.
        """
        tool = self._calls[index].tool
        others = self._ended & ~self._ended_of.get(tool, 0)
        reasons = (self._in_part, _UNHEARD), (self._rules.in_another_language, _RULE)
        unheard = [(others, why) for applies, why in reasons if applies and others]
        unheard += self._spoken_of(tool)
        ruling = self._ruling & others
        if ruling and (noun := noun_of(tool)) not in SAYING_NOTHING and noun[:_STEM] not in self._stems:
            unheard.append((ruling, _RULING))
        if not self._seeks and not self._handles and not self._rules:
            return unheard
        usual = {token for name, token in arguments.named if is_usual(name)}
        words = [set(atom.words) for atom in arguments.atoms if atom.kind != "flag" and atom.token not in usual]
        new = [inside for inside in words if not inside <= self._given]
        self._given.update(*words)
        named = any(all(map(is_known, inside)) for inside in new)
        found = [*unheard, *self._prescribed(tool)]
        if not self._ended or noun_of(tool)[:_STEM] in self._stems:
            return found
        if named:
            return [*found, (self._ended, _RULE)] if self._rules.concern(tool, ()) else found
        own = {word for inside in words for word in inside if word[:_STEM] not in self._stems}
        # A file that the model names of itself may be the next on a list of its own.
        found += self._linked_before(tool, own)
        led = self._ended if self._seeks else self._factual if self._handles else 0
        cases = (0 if new else led, _CAUSE), (self._ended if self._rules.concern(tool, own) else 0, _RULE)
        return [*found, *((bits, why) for bits, why in cases if bits)]

    def _prescribed(self, tool: str) -> list[Doubt]:
        """Return the doubt that the system prompt may want calls that have ended to precede a call of *tool*."""
        bits = sum(bits for other, bits in self._ended_of.items() if other != tool and self._rules.order(other, tool))
        return [(bits, _ORDER)] if bits else []

    def _spoken_of(self, tool: str) -> list[Doubt]:
        """Return the doubt that a result spoke of what *tool* is about, if the user did not: "see the datasheet"."""
        noun = noun_of(tool)
        if len(noun) < _STEM or noun[:_STEM] in self._stems or noun in SAYING_NOTHING:
            return []
        told = [i for i, words in self._told if self._calls[i].tool != tool and noun in words]
        return [(sum(1 << i for i in told), _SPOKEN_OF)] if told else []

    def _linked_before(self, tool: str, own: Collection[str]) -> list[Doubt]:
        """Return the doubt that a sentence of the system prompt links what a result returned with a call of *tool*."""
        sought = stems_of([*nouns_of(tool), *own])
        bits = sum(1 << i for i, stems in self._linked if self._calls[i].tool != tool and not stems.isdisjoint(sought))
        return [(bits, _LINK)] if bits else []

    def end(self, index: int, result: Values) -> None:
        """Take note of a call that ends, and of the sentences of the system prompt that have a word of its *result*."""
        bit, tool = 1 << index, self._calls[index].tool
        self._factual |= bit if tells_facts(result.value) else 0
        texts = [one for one in values_in(result.value, _MOST_TEXTS) if isinstance(one, str)]
        words = {word for text in texts if len(text) <= _LONGEST_TEXT for word in words_in(text)}
        self._ruling |= bit if any(_CONDITION.search(text[:_LONGEST_RULE]) for text in texts[:_MOST_RULES]) else 0
        self._told.append((index, words))
        if len(self._told) > _MOST_LINKED:
            del self._told[0]
        if self._rules:
            stems = self._rules.named_with(word for word in words if word[:_STEM] not in self._stems)
            if stems and len(self._linked) < _MOST_LINKED:
                self._linked.append((index, stems))
        self._ended |= bit
        self._ended_of[tool] = self._ended_of.get(tool, 0) | bit

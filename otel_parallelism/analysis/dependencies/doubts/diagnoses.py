"""
Finds what a model looks at next in search of a cause.

"Why is the shop slow?" names no tools: that the model looks at the database follows from what the metrics showed. A
call for something else that the user named, or with a tool that the user named, needs no result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.effects.tool_verbs import words_in_name
from otel_parallelism.patterns import CaselessPattern

from .reasking import is_usual

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

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
    r"|fix\b|fail\w*|crash\w*|brok\w+|stuck|hangs?|(?:is|are|goes|went|keeps) (?:\w+ )?(?:down|slow|offline)"
    r"|warum|wieso|weshalb|ursache|untersuch\w*|woran|por ?qu[eé]|averigua\w*|investiga(?!t)\w*|pourquoi|enqu[eê]te\w*"
    r"|perch[eé]|waarom|varf[oö]r|hvorfor|miksi|dlaczego|pro[cč]|neden|почему|причин\w*)(?!\w)"
    r"|为什么|為什麼|为何|原因|排查|调查|なぜ|どうして|왜|원인",
)
_PREPOSITIONS = frozenset({"for", "by", "of", "from", "in", "on", "with", "at"})
_WHY = "what {a} returned may have led to {b}: what was asked is to find a cause, and names nothing that {b} is about"


class Diagnoses:
    """Collects these doubts about the calls of one scope, in order of time."""

    def __init__(self, calls: Sequence[Call], spoken: Iterable[Values], said: Collection[str]) -> None:
        """Find out whether the user, who *said* these words, seeks a cause."""
        self._calls = calls
        self._seeks = any(_SEEKS_A_CAUSE.search(text[:_MOST_READ]) for values in spoken for text in values.texts)
        self._stems = {word[:_STEM] for word in said}
        self._given: set[str] = set()
        self._ended = 0

    def start(self, arguments: Values, index: int, is_known: Callable[[str], bool]) -> list[Doubt]:
        """
        Return the doubts about a call that starts.

        Args:
            arguments: Their values.
            index: Its position.
            is_known: Returns whether a word is known so far, from the user or from another call.
        """
        if not self._seeks:
            return []
        usual = {token for name, token in arguments.named if is_usual(name)}
        words = [set(atom.words) for atom in arguments.atoms if atom.kind != "flag" and atom.token not in usual]
        new = any(inside and not inside <= self._given and all(map(is_known, inside)) for inside in words)
        self._given.update(*words)
        named = _noun_of(self._calls[index].tool)[:_STEM] in self._stems
        return [(self._ended, _WHY)] if self._ended and not (new or named) else []

    def end(self, index: int) -> None:
        """Take note of a call that ends."""
        self._ended |= 1 << index


def _noun_of(tool: str) -> str:
    """
    Return the word of a tool's name that says what it is about.

    >>> _noun_of("get_pod_logs"), _noun_of("listAlertsForService")
    ('logs', 'alerts')
    """
    words = words_in_name(tool)
    ends = [index for index, word in enumerate(words) if index and word in _PREPOSITIONS]
    return (words[: ends[0]] if ends else words)[-1] if words else ""

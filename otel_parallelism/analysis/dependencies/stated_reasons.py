"""
Finds calls for which the model says, beside asking for them, that something it saw is the reason.

"It sleets, so I'd better look for indoor events" beside a call for events: no value was handed on, and the weather is
why. What a user asked for ("Since you want both …") is no such reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.pace import paced
from otel_parallelism.patterns import CaselessPattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call, Content, Step

_MOST_READ = 1_000
_REASON = CaselessPattern(
    r"(?<!\w)(?:(?:since|because)(?! you\b| the user\b| i (?:need|want|have to)\b)|based on (?!your|what you)"
    r"|given (?:that|this|these|those|how)|now that|according to|in (?:light|view) of|due to|as (?:it|there|no) "
    r"|as the \w+ (?:is|are|was|were|has|have|shows?|says?|did|does)"
    r"|(?:shows?|indicates?|suggests?|mentions?|reveals?|reveal|confirms?|points?) (?:that|to|a|an|no|the|it|there)"
    r"|says? (?:that|it|there|no)|(?:i|we) (?:can )?(?:now )?(?:see|notice) (?:that|it|there|no|an?)"
    r"|(?:it|there|that|this|which) (?:seems?|looks|appears|turns out|turned out|means|failed|explains)|(?:looks|seems)"
    r" like|apparently|unfortunately|however|instead|therefore|hence|was (?:noted|found|mentioned|reported|empty|not)"
    r"|,? so (?:i'd better|i should|i must|i need|i'll|i will|let me|let's|we should|we need)"
    r"|(?:is|are|was|were) the (?:problem|cause|culprit|reason|issue)"
    r"|(?:did|does|do|could|can|was|were|is|are|has)(?: not|n't)"
    r"|cannot|not (?:available|found|enough)|no (?:results?|match(?:es)?|data|luck|entry|record)"
    # German, French, Spanish, Italian, Portuguese and Dutch
    r"|da (?:der|die|das|es|kein\w*)|weil|laut|demnach|daher|deshalb|offenbar|leider|jedoch|puisque?|d'apr[eè]s"
    r"|car (?:les?|la|ce|cela|ils?|elles?|on|nous|je|une?|aucune?)"  # not the English word
    r"|selon|donc|apparemment|malheureusement|ya que|porque|seg[uú]n|por eso|por lo tanto|parece que|siccome|poich[eé]"
    r"|quindi|secondo|purtroppo|como (?:o|a|no|n[aã]o|est[aá])|j[aá] que|portanto|infelizmente|omdat"
    r"|aangezien|volgens)(?!\w)"
)
_IN_OTHER_SCRIPTS = CaselessPattern(
    r"поскольку|так как|потому что|поэтому|судя по|согласно|к сожалению|因为|因為|由于|由於|根据|根據|所以"
    r"|因此|看来|看來|显示"
    r"|顯示|ため、|ので|によると|ようです|때문|므로|따르면"
)

WHY = "the model gave what it had seen as the reason for the later call"


def stated_reasons(calls: Sequence[Call], steps: Sequence[Step], before: Sequence[int]) -> dict[int, int]:
    """
    Return, by position, the earlier calls that a call may follow from by the model's own words.

    Args:
        calls: The calls of one scope, in order of start.
        steps: The turn's model requests if the calls are the turn's own.
        before: Bits of the calls that had ended before each call started.
    """
    if len(calls) < 2 or all(step.answer is None for step in steps):  # noqa: PLR2004 - a pair
        return {}
    by_id = {call.call_id: index for index, call in paced(enumerate(calls)) if call.call_id}
    found: dict[int, int] = {}
    for step in paced(steps):
        asked = [by_id[call_id] for call_id in step.requested or () if call_id in by_id]
        beside = sum(1 << index for index in asked)
        if any(before[index] & ~beside for index in asked) and _gives_a_reason(step.answer):
            for index in asked:
                found[index] = before[index] & ~beside
    return {index: bits for index, bits in found.items() if bits}


def _gives_a_reason(answer: Content | None) -> bool:
    if answer is None or answer.parse is None:
        return False
    try:
        read = answer.data()
    except Exception:  # noqa: BLE001 - a parser of any framework's messages
        return True
    texts = [one for one in read if isinstance(one, str)] if isinstance(read, (list, tuple)) else []
    parts = [text[:_MOST_READ] for text in texts]
    return any(_REASON.search(part) or (not part.isascii() and _IN_OTHER_SCRIPTS.search(part)) for part in parts)

"""
Finds calls for which the model says, beside asking for them, that something it saw is the reason.

"It sleets, so I'd better look for indoor events" beside a call for events: no value was handed on, and the weather is
why. What a user asked for ("Since you want both …") is no such reason. Where the model only tells what it saw ("Traffic
is flat. Let me look at the collector"), that may be why it calls for what the user did not name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.contents.tokens import letter_groups
from otel_parallelism.pace import paced
from otel_parallelism.patterns import CaselessPattern, LazyPattern

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_parallelism.model import Call, Content, Step

_MOST_READ = 1_000
_SHORTEST_PART = 4
_MANY_WORDS = 5
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
    r"|(?:i|we) (?:wonder|suspect|assume|guess)|probably|possibly|perhaps|maybe|(?:might|may|could) (?:be|have)"
    r"|(?:find out|see|understand|learn|explain|know|check|figure out) why"
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
_SENTENCES = LazyPattern(r"[.!?;\n]\s+|[\u3002\uff01\uff1f]|\s[-\u2013\u2014]+\s")
_ACKNOWLEDGEMENT = LazyPattern(
    r"(?i)^\W*(?:ok|okay|great|perfect|good|excellent|nice|thanks|thank you|sure|alright|all right|right|done|got it"
    r"|i see)\b[,:]?\s+"
)
# A sentence that begins in this way says what is to be done, or what was asked.
_PLAN = CaselessPattern(
    r"\W*(?:(?:let me|let's|let us|now|next|then|first|firstly|second|secondly|third|thirdly|finally|lastly|also|and|to"
    r"|i'll|i will|i'd|i'm|i am|i need|i want|i also|i should|i must|i can|i now|i have|i've|we'll|we will|we have"
    r"|we've|step|here|here's|please|you|since you|because (?:you|the user)|as (?:you|requested|asked)"
    r"|(?!(?:some|any|every|no)thing)\w+ing|nun|jetzt|dann|zuerst|als|zum|ich|puis|ensuite|maintenant|enfin|je|voyons"
    r"|regardons|ahora|luego|despu[eé]s|primero|por|voy|veamos|vamos|ora|adesso|poi|agora|depois|nu|daarna|on to|same"
    r"|теперь|затем)(?!\w)"
    r"|the (?:next|second|third|last|other|final|remaining)\b)"
)
_STATEMENT = CaselessPattern(
    r"\b(?:is|are|was|were|has|have|had|isn't|aren't|wasn't|weren't|hasn't|looks?|seems?|shows?|says?|went|goes"
    r"|jump(?:s|ed)|rises?|rose|falls?|fell|drop(?:s|ped)|increase[sd]|decrease[sd]|doubled?|grew|work(?:s|ed)"
    r"|return(?:s|ed)|contains?|lists?|runs?|takes?|c[ao]mes?|uses?|match(?:es|ed)?|lacks?|exists?|spike[sd]"
    r"|stay(?:s|ed)|remain(?:s|ed)|failed|limits?|requires?|points?|found|ist|sind|war|waren|hat|haben|gibt|liegt|zeigt"
    r"|steht|fehlt|fehlen|est|sont|[eé]tait|ont|il y a|montre|es|est[aá]n?|son|hay|tienen?|muestra|fue|era"
    r"|(?:that|it|there|this|he|she|what)'s)(?!\w)"
)
# In Chinese and Japanese, any part of a sentence that names no next step says something.
_PARTS = LazyPattern(r"[\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f]")
_STEP = LazyPattern(
    r"[查看找搜读]|獲取|获取|得到|接着|接下来|现在|首先|然后|最后|另外|同样|让我|[我来]们?(?:来|会|将|再|先)|好的"
    r"|次[に、は]|続いて|確認|調べ|見[てま]|取得|検索|まず|最後に|了解|こちら"
)

WHY = "the model gave what it had seen as the reason for the later call"


def stated_reasons(
    calls: Sequence[Call], steps: Sequence[Step], before: Sequence[int], was_named: Callable[[int], bool]
) -> dict[int, int]:
    """
    Return, by position, the earlier calls that a call may follow from by the model's own words.

    Args:
        calls: The calls of one scope, in order of start.
        steps: The turn's model requests if the calls are the turn's own.
        before: Bits of the calls that had ended before each call started.
        was_named: Returns whether the user named what the call at a position is about.
    """
    if len(calls) < 2 or all(step.answer is None for step in steps):  # noqa: PLR2004 - a pair
        return {}
    by_id = {call.call_id: index for index, call in paced(enumerate(calls)) if call.call_id}
    found: dict[int, int] = {}
    for step in paced(steps):
        asked = [by_id[call_id] for call_id in step.requested or () if call_id in by_id]
        beside = sum(1 << index for index in asked)
        following = [index for index in asked if before[index] & ~beside]
        texts = _texts_of(step.answer) if following else []
        if texts is not None and not any(map(_gives_a_reason, texts)):
            if not any(map(_tells_what_it_saw, texts)):
                continue
            following = [index for index in following if not was_named(index)]
        for index in following:
            found[index] = before[index] & ~beside
    return found


def _texts_of(answer: Content | None) -> list[str] | None:
    """Return the beginnings of the texts of an *answer*; None if it cannot be read."""
    if answer is None or answer.parse is None:
        return []
    try:
        read = answer.data()
    except Exception:  # noqa: BLE001 - a parser of any framework's messages
        return None
    return [one[:_MOST_READ] for one in read if isinstance(one, str)] if isinstance(read, (list, tuple)) else []


def _gives_a_reason(text: str) -> bool:
    return bool(_REASON.search(text) or (not text.isascii() and _IN_OTHER_SCRIPTS.search(text)))


def _tells_what_it_saw(text: str) -> bool:
    """
    Return whether *text* says how something is, and not only what is to be done.

    >>> _tells_what_it_saw("Traffic is flat. Let me look at the collector."), _tells_what_it_saw("Now the collector.")
    (True, False)
    >>> _tells_what_it_saw("昨天明显偏少。我再看看任务。"), _tells_what_it_saw("接下来查询上海的天气。")
    (True, False)
    """
    sentences = _SENTENCES.split(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    told = (_ACKNOWLEDGEMENT.sub("", one) for one in sentences)
    # A longer sentence has a verb, in any language.
    if any((len(one.split()) >= _MANY_WORDS or _STATEMENT.search(one)) and not _PLAN.match(one) for one in told):
        return True
    return any(
        len(one) >= _SHORTEST_PART and letter_groups(one) and not _STEP.search(one) for one in _PARTS.split(text)
    )

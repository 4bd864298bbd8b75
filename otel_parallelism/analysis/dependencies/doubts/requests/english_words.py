"""The English words that distinguish a plain request from a sentence that may have a condition."""

# ruff: noqa: SIM905 - lists of quoted words would be three times as long

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

OPENERS: Final = frozenset(
    """
    show tell give get fetch find look check search list read open pull load retrieve bring send grab compare summarise
    summarize describe explain report return print display provide collect gather compile prepare draft write make
    create build outline brief review calculate compute count estimate determine verify confirm see identify analyze
    analyse evaluate assess assist obtain query lookup run track update translate convert view name locate generate
    inspect fill put include add download extract scan export examine use take set let let's help book arrange reserve
    rent order plan start begin perform investigate research conduct process suggest recommend looking trying planning
    thinking
    what which who whose whom when where how why what's who's where's when's how's is are was were do does did has have
    can may will
    """.split()
)
"""Verbs and question words that begin a request."""

ASKING_SOMEBODY: Final = frozenset({"could", "can", "would", "will", "may"})
SOMEBODY: Final = frozenset({"you", "i", "we", "someone", "somebody"})
"""What follows them in a question to a person: "could you show"."""

WISHING: Final = frozenset({"i", "i'd", "i'm", "i've", "we", "we'd", "we're", "we've"})
"""Words that begin a wish: "I need the hours"."""

WISHES: Final = frozenset(
    """
    would like love want need am are was were been have also just really currently now interested curious looking
    wondering trying going planning hoping here hope wish require please help plan fly travel live work leave arrive
    land stay visit study own teach
    """.split()
)
"""Words that may follow these, beside any that ends in "ing"."""

BEING: Final = frozenset({"a", "an", "the", "in", "at", "from", "on", "new"})
"""Words that may follow "I'm", beside these: "I'm in Rome". "I'm fine with Rome" has a reserve."""

GOING_TO: Final = frozenset({"i'll", "we'll", "they'll"})
"""Words that begin a sentence about what is to come: "I'll stay a week in Lyon"."""

PLANS: Final = frozenset(
    "planning going hoping hope hopes want wants need needs plan plans wish wishes travelling traveling".split()
)
"""Verbs of a sentence about what others have in mind: "My family hopes to rent a car"."""

POLITE: Final = frozenset(
    """
    please hi hello hey thanks thank kindly and also then additionally furthermore moreover finally lastly ok okay good
    morning afternoon evening there dear now next so well plus too great just first firstly second secondly third
    thirdly assistant team bot folks everyone afterwards afterward subsequently again likewise similarly quickly
    specifically
    """.split()
)
"""Words before a request that say nothing of it."""

COURTESIES: Final = (
    ("after", "that"),
    ("after", "this"),
    ("don't", "forget", "to"),
    ("make", "sure", "to"),
    ("be", "sure", "to"),
    ("in", "addition"),
    ("if", "possible"),
    ("in", "particular"),
    ("moving", "on"),
    ("later", ","),
    ("besides", ","),
    ("i'd", "appreciate"),
    ("i", "would", "appreciate"),
    ("i'd", "be", "grateful", "for"),
    ("i", "would", "be", "grateful", "for"),
    ("for", "that"),
    ("in", "that", "case"),
)
"""Phrases before a request that say nothing of it, or only its place among others."""

JOINING: Final = frozenset(
    """
    of in on at for from to by about between per during around near into via as and or plus vs versus with including
    regarding concerning within across along both using called named titled through starting inside that
    before after since over under above below until
    """.split()
)
DETERMINERS: Final = frozenset("the a an some my our your us me his her its their this these those".split())
ORDERED: Final = frozenset("the a an some my our these those this".split())
"""Words after a verb that orders something."""

FIRST_PERSON: Final = frozenset("i i'm i'd i've we we're we'd we've my our me us".split())
DESCRIBING: Final = frozenset(
    """
    all each every current latest last next recent new old total average full main today tomorrow tonight yesterday now
    open upcoming following first second third two three four five six seven eight nine ten one respective
    january february march april may june july august september october november december monday tuesday wednesday
    thursday friday saturday sunday today's tomorrow's week month year day
    """.split()
)
TELLING: Final = frozenset(
    "is are was were be been do does did has have had which who whose whom when where how why what i we you".split()
)
"""Words that make a sentence of a list of things."""

RISKY: Final = frozenset(
    """
    if unless whether only whenever once till while though although however but otherwise else instead rather any when
    like than should could might must shall never not no none nothing nobody neither nor anything anyone anybody
    anywhere something it it's itself they they're he he's she she's without beyond past against
    except besides despite unlike so such another either enough still yet already again even ever always sometimes
    probably perhaps maybe possibly likely less fewer very quite hence thus therefore thereby whereas because depending
    provided assuming supposing failing barring would means given lest upon hardly almost nearly with
    """.split()
)
"""Words by which a condition, a reason or a reserve can be said."""

TIMED: Final = frozenset({"before", "after", "since", "over", "under", "above", "below", "until"})
"""Words that are risky unless a number or a time follows: "since 2020", "over the last hour", "under 100 euros"."""

TIMES: Final = frozenset({"last", "past", "next", "coming", "same"})

BOUNDS: Final = frozenset({"over", "under", "above", "below"})
"""Those of `TIMED` before what a call is given: "under src"."""

_ASKS_WHETHER: Final = frozenset("check see know verify determine confirm me us ask out".split())

HARMLESS_AFTER: Final[Mapping[str, frozenset[str]]] = {
    "any": frozenset("there are is have has find list show identify about".split()) | {""},
    "like": frozenset("is are be look looks was were would you also".split()),
    "if": _ASKS_WHETHER,
    "whether": _ASKS_WHETHER,
    "it": frozenset("see if whether does do is did will has can was".split()),
    "than": frozenset("more less fewer later earlier".split()),
    "after": frozenset({"look"}),
    "once": frozenset({"at"}),
    "given": frozenset({"the"}),
    "past": frozenset({"the"}),
}
"""For a risky word, the words before it with which it is harmless. An empty text stands for none."""

HARMLESS_BEFORE: Final[Mapping[str, frozenset[str]]] = {
    "any": frozenset("additional other further relevant available recent related upcoming open special".split()),
    "could": frozenset({"you"}),
    "would": frozenset({"you", "like", "love"}),
    "such": frozenset({"as"}),
    "it": JOINING | {"", ",", ")", "has", "had"},
    "if": frozenset({"possible"}),
    "so": frozenset({"i", "we", "please", ""}),
    "still": frozenset({""}),
    "already": frozenset({""}),
    "again": frozenset({"", ","}),
    "not": frozenset("before after until later earlier".split()),
    "after": frozenset({""}),
    "like": frozenset({"", ",", "#"}),
    "but": frozenset({"not"}),
    "when": TELLING,
    "less": frozenset({"than"}),
    "fewer": frozenset({"than"}),
}
"""For a risky word, the words after it with which it is harmless."""

BREAKS: Final = frozenset({",", ":", "and", "or"})
"""What comes before a "with" that begins a condition: "and, with a high value, the list"."""

OCCASIONS: Final = frozenset(
    """
    report meeting project trip paper presentation article research program programme audit visit holiday vacation
    class thesis blog post study talk day week weekend month party event wedding conference interview review call
    newsletter book essay homework course assignment journey tour team client
    run lunch dinner breakfast work flight appointment departure walk game stay night person people user adult child
    family group couple website app page location section chapter document slides deck auditors audit board exam
    lecture bed school breakfast reviewer boss manager
    """.split()
)
"""What a request may be made for: "for my report I need …"."""

AGENTS: Final = frozenset(
    """
    you you're your are is can may must should will have has be the an a assistant agent bot helper it always never
    don't do not please also only job task role goal to
    """.split()
)
"""Words at the beginning of a sentence about an agent, or about what it always does."""

RULING: Final = frozenset(
    """
    be use keep answer respond reply mention cite avoid greet apologise apologize ask call return format act speak talk
    prefer follow assume remember ensure consider focus stay support offer handle treat invent reveal write limit
    """.split()
)
"""Verbs that begin a rule, beside `OPENERS`."""

ALL: Final = frozenset({"every", "each", "all"})
NEEDS: Final = frozenset({"need", "needs", "require", "requires", "get", "gets", "has", "have"})
"""Words of a rule without a condition: "every order needs a status"."""

CASES: Final = frozenset("in on at for from to of by upon with".split())
"""Prepositions before what may be a case: "and on red the log"."""

CERTAIN: Final = frozenset("the my our this his her their today's tomorrow's".split())
"""Words before a certain occasion: "for the ward round"."""

COMPARED: Final = frozenset({"one", "ones", "first", "second", "other", "best", "worst", "them", "those", "both"})
"""Words of an occasion that depends on what is compared."""

PREFIXES: Final = frozenset({"for", "as", "to", "in", "during", "on", "before", "after"})
"""Words before an occasion, or before a case."""

SUBJECTS: Final = frozenset(
    "those these they it we i my our he she that this there i'm we're they're it's he's she's".split()
)
"""Words that begin a reason after "since" or "as"."""

CONDITIONAL: Final = RISKY - frozenset(
    """
    always already still again even ever never not no so it they he she they're he's she's it's another very quite
    because sometimes probably like something nobody nothing itself though although
    """.split()
)
"""Words by which something told of a thing may be a condition: "which only matters with snow"."""

"""Recognises results that found nothing, that report only success, or that say that they are old or doubtful."""

from __future__ import annotations

from otel_parallelism.patterns import LazyPattern

_WORDS = LazyPattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_CONTAINERS = (dict, list, tuple, set, frozenset)
_DEEPEST = 3
_FINDINGS = frozenset(
    "results result items hits data records matches entries rows documents docs values edges nodes objects list".split()  # noqa: SIM905 - a list of quoted words would be longer
)
_SEPARATORS = LazyPattern(r"[,;\t|]")
_COLUMN = LazyPattern(r"[a-z]\w{0,40}")
_COLUMNS = frozenset("id name date status email month year amount total title type timestamp created updated".split())  # noqa: SIM905 - a list of quoted words would be longer
_TOTALS = frozenset({"total", "count", "total count", "num results", "total results", "total hits", "result count"})
_ONE_FINDING = frozenset("result match record item hit entry document row answer".split())  # noqa: SIM905 - a list of quoted words would be longer
_WHETHER_FOUND = frozenset({"found", "matched"})
_UNSURE = 0.5
_POOR = frozenset("bad poor low uncertain suspect unreliable questionable".split())  # noqa: SIM905 - a list of quoted words would be longer
_AGES = frozenset({"age", "staleness"})
_OLD = LazyPattern(r"\b(?:days?|weeks?|months?|years?)\b")
_DOUBTED = LazyPattern(
    r"(?i)\b(?:with caution|not verified|unverified|provisional|unreliable|do not rely|don't rely"
    r"|may be (?:wrong|inaccurate|out of date|outdated|incomplete))\b"
)
_LONGEST_REMARK = 200
# What may run out by a call.
_ALLOWANCES = frozenset("quota budget requests calls credits credit attempts tries queries lookups allowance".split())  # noqa: SIM905 - likewise
_LEFT = frozenset({"left", "remaining", "remain"})
_FEW = 10
# What a result says of its own worth.
_RESERVATIONS = frozenset("warning warnings stale partial degraded incomplete outdated deprecated".split())  # noqa: SIM905 - a list of quoted words would be longer

LONGEST_SUCCESS = 2
"""The most values of a result that reports only success."""

_SUCCESSES = frozenset("ok okay done success successful succeeded completed".split())  # noqa: SIM905 - likewise
_FIELDS_OF_SUCCESS = frozenset({"", "status", "result", "message", "ok", "success"})
# Words in the names of tools that are asked for a state: success is their answer.
_ASKED_HOW = frozenset(
    """
    status state health healthz check checks ping test tests result results outcome job jobs
    """.split()  # noqa: SIM905 - likewise
)


def found_nothing(result: dict[object, object], depth: int = 0) -> bool:
    """
    Return whether a *result* says that nothing was found: an empty list of results, or a total of 0, and no list.

    Args:
        result: Plain data.
        depth: How deep in a result this part of it is.

    >>> found_nothing({"results": [], "page": 1}), found_nothing({"results": [], "similar": ["lamp"]})
    (True, False)
    """
    if any(isinstance(inner, (list, tuple)) and inner for inner in result.values()):
        return False
    for key, inner in result.items():
        name = " ".join(word.lower() for word in _WORDS.findall(key)) if isinstance(key, str) else ""
        if name in _FINDINGS and isinstance(inner, _CONTAINERS) and not inner:
            return True
        if (name in _ONE_FINDING and inner is None) or (name in _WHETHER_FOUND and inner is False):
            return True
        if name in _TOTALS and type(inner) is int and inner == 0:
            return True
        if isinstance(inner, dict) and depth < _DEEPEST and found_nothing(inner, depth + 1):
            return True
    return False


def is_only_a_header(result: object) -> bool:
    r"""
    Return whether a *result* is the first line of a table without any other.

    >>> is_only_a_header("id,month,net"), is_only_a_header("red,green,blue"), is_only_a_header("id,name\n7,Ann")
    (True, False, False)
    """
    line = result.strip() if isinstance(result, str) and len(result) <= _LONGEST_REMARK else ""
    if "\n" in line:
        return False
    fields = [field.strip().strip('"').lower() for field in _SEPARATORS.split(line)]
    named = sum(field in _COLUMNS or field.endswith(("_id", "_at", "_name", "_date")) for field in fields)
    return len(fields) > 1 and named > 0 and all(_COLUMN.fullmatch(field) for field in fields)


def has_reservation(result: dict[object, object]) -> bool:
    """
    Return whether a *result* says that it is old, incomplete or doubtful, or that few more calls are allowed.

    >>> has_reservation({"price": 31.2, "stale": True}), has_reservation({"price": 31.2, "stale": False})
    (True, False)
    >>> has_reservation({"value": -999, "quality": "bad"}), has_reservation({"value": 21.5, "quality": "good"})
    (True, False)
    >>> has_reservation({"rate": 11.2, "age": "3 weeks"}), has_reservation({"m": 12, "calls_left": 2})
    (True, True)
    >>> has_reservation({"m": 3.5, "remark": "Unverified, take care"})
    True
    """
    confidence = result.get("confidence")
    if isinstance(confidence, float) and confidence < _UNSURE:
        return True
    if any(isinstance(result.get(key), str) and result[key] in _POOR for key in ("quality", "reliability")):
        return True
    for key, inner in result.items():
        if not isinstance(key, str):
            continue
        words = {word.lower() for word in _WORDS.findall(key)}
        if (key.lower() in _RESERVATIONS and inner) or (
            isinstance(inner, str) and not words.isdisjoint(_AGES) and _OLD.search(inner)
        ):
            return True
        if isinstance(inner, str) and len(inner) <= _LONGEST_REMARK and _DOUBTED.search(inner):
            return True
        if type(inner) is int and inner < _FEW and not (words.isdisjoint(_ALLOWANCES) or words.isdisjoint(_LEFT)):
            return True
    return False


def tells_success_only(words: frozenset[str], leaves: list[tuple[str, object]]) -> bool:
    """
    Return whether a result reports only that the call succeeded, and not what it returned.

    Args:
        words: The words in the name of the tool.
        leaves: The first values of the result, one more than `LONGEST_SUCCESS`, each with the name of its field.

    >>> tells_success_only(frozenset({"get", "rain"}), [("status", "success"), ("ok", True)])
    True
    >>> tells_success_only(frozenset({"get", "health"}), [("status", "ok")])
    False
    """
    if len(leaves) > LONGEST_SUCCESS or not _ASKED_HOW.isdisjoint(words):
        return False
    texts = [leaf.lower() for _, leaf in leaves if isinstance(leaf, str)]
    flags = sum(leaf is True for _, leaf in leaves)
    named = all(name in _FIELDS_OF_SUCCESS for name, _ in leaves)
    return named and bool(texts) and _SUCCESSES.issuperset(texts) and len(texts) + flags == len(leaves)

"""
Finds the result that first contained a part of an argument, whatever marks, case or accents stand between its letters.

Such a match proves nothing: it makes the pair of calls unknown. It finds values that were joined, cut, put into a path
or an address, or spelled as names of programs are: ``Blue Lamp`` in ``/p/blue%20lamp``, ``AB12C`` in ``SKU-ab12c``. A
short or common word counts only as a whole value, or as the name of a file, from which a name was made: ``tbl_vat``.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from otel_parallelism.pace import empty, ordered, paced, pause
from otel_parallelism.patterns import LazyPattern

from .tokens import COMMON_WORDS, letter_groups, words_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from otel_parallelism.model import Call

    from .comparables import Values

_MARKS: Final = bytes(code for code in range(128) if not chr(code).isalnum())
_MARK = LazyPattern(r"[\W_]+")
_ESCAPE = LazyPattern(r"%[0-9a-fA-F]{2}")
_CAMEL = LazyPattern(r"(?<=[a-z])(?=[A-Z])")
_FILE = LazyPattern(r"(?:[/\\]([a-z]+))?\.([a-z]\w{1,4})(?!\w)")
_EXTENSION = LazyPattern(r"(?<=\w)\.[A-Za-z]\w{0,4}$")
_OF_ADDRESSES: Final = frozenset({"http", "https", "www", "com", "org", "net", "api", "html", "htm", "json"})
_SHORTEST_PART: Final = 4
_SHORTEST_NAME: Final = 3
_LONGEST_TEXT: Final = 20_000
_LONGEST_ARGUMENT: Final = 500
_MAX_PARTS: Final = 32
_FEW_PARTS: Final = 64
# Words that tell nothing about where a text comes from.
_FILLERS: Final = COMMON_WORDS | frozenset(
    """
    with from this that about into over what which when where have will your their there please should could would more
    most some than then them they were been also only other such between through after before show find give tell make
    does each both very just like need want using used http https json html file files
    """.split()  # noqa: SIM905 - a list of quoted words would be three times as long
)


def squeezed(text: str) -> str:
    """
    Return only the letters and digits of *text*, in lower case; escapes of addresses are left out.

    >>> squeezed("+351 912-345"), squeezed("/p/blue%20lamp")
    ('351912345', 'pbluelamp')
    """
    shown = text[:_LONGEST_TEXT]
    if "%" in shown:
        shown = _ESCAPE.sub(" ", shown)
    if shown.isascii():
        return shown.encode().translate(None, _MARKS).decode().lower()
    return _MARK.sub("", shown).casefold()


def parts_of(text: str) -> list[str]:
    """
    Return the squeezed *text*, its pieces such as paths, and its words: those that are long enough to tell something.

    >>> parts_of("m.okafor@corp.example"), parts_of("lamps")
    (['mokaforcorpexample', 'okafor', 'corp', 'example'], ['lamps', 'lamp'])
    >>> parts_of("head -5 crm/store.py")
    ['head5crmstorepy', 'crmstorepy', 'head', 'store']
    >>> parts_of("王小芳")
    ['王小', '小芳']
    """
    shown = text[:_LONGEST_ARGUMENT]
    found = [squeezed(shown)]
    pieces = shown.split()
    if len(pieces) > 1:
        found += [squeezed(piece) for piece in pieces if not piece.isalnum()]
    for word in words_in(_CAMEL.sub(" ", shown)):
        found.append(word)
        if word.endswith("s"):
            found.append(word[:-1])
    long = (part for part in dict.fromkeys(found) if len(part) >= _SHORTEST_PART and part not in _FILLERS)
    return [*long, *dict.fromkeys(letter_groups(shown))]


def first_containing(
    calls: Sequence[Call],
    arguments: Sequence[Values | None],
    results: Sequence[Values | None],
    said: Iterable[Values],
) -> Iterator[tuple[int, int]]:
    """
    Yield positions of a call and of the earlier call whose result first contained a part of its arguments.

    What the user said before, or an earlier call was given, was not brought in by a result.

    Args:
        calls: The calls of one scope in order of start.
        arguments: The values of each call's arguments, with their texts.
        results: The values of each call's result, with their texts.
        said: The values of the user's messages, with their texts.
    """
    parts = [[] if values is None else _all_parts(values) for values in paced(arguments)]
    if not any(parts):
        return
    spoken = "\n".join(squeezed(text) for values in said for text in values.texts)
    given_ns: dict[str, int] = {}
    for call, some in paced(zip(calls, parts, strict=True)):
        for part in some:
            given_ns.setdefault(part, call.start_ns)
    ended = ordered(range(len(calls)), key=lambda index: calls[index].end_ns)
    offsets: list[int] = []
    brought: list[str] = []
    length = 0
    for index in paced(ended):
        values = results[index]
        text = "" if values is None else "\n".join(map(squeezed, values.texts))
        offsets.append(length)
        brought.append(text)
        length += len(text) + 1
    said_before = first_places(spoken, given_ns)
    places = first_places("\n".join(brought), [part for part in paced(given_ns) if part not in said_before])
    pause()
    producers: dict[str, int] = {}
    for part, place in paced(places.items()):
        producer = ended[bisect_right(offsets, place) - 1]
        if given_ns[part] >= calls[producer].end_ns:
            producers[part] = producer
    for index, some in paced(enumerate(parts)):
        for producer in {producers[part] for part in some if part in producers}:
            if calls[producer].end_ns <= calls[index].start_ns:
                yield index, producer
    empty(parts, given_ns, brought, places, producers)


def first_naming(
    calls: Sequence[Call],
    arguments: Sequence[Values | None],
    results: Sequence[Values | None],
    said: Iterable[Values],
) -> Iterator[tuple[int, int]]:
    """
    Yield positions of a call and of the earlier call whose result has a short word that a name of the call is made of.

    Args:
        calls: The calls of one scope in order of start.
        arguments: As in `first_containing`.
        results: Likewise.
        said: Likewise.
    """
    names = [[] if values is None else _short_parts(values) for values in paced(arguments)]
    if not any(names):
        return
    known = {word for values in said for text in values.texts for word in words_in(text[:_LONGEST_TEXT])}
    wanted = {part for some in paced(names) for part in some}.difference(known)
    producers: dict[str, int] = {}
    for index in paced(ordered(range(len(calls)), key=lambda index: calls[index].end_ns)):
        values = results[index]
        for part in wanted.intersection(() if values is None else _short_values(values)):
            producers.setdefault(part, index)
    for index, some in paced(enumerate(names)):
        for part in some:
            producer = producers.get(part, index)
            if calls[producer].end_ns <= calls[index].start_ns and part not in names[producer]:
                yield index, producer


def _short_parts(values: Values) -> list[str]:
    """
    Return the short and the common words of the texts in *values* that are one name, without an extension.

    >>> from otel_parallelism.analysis.dependencies.contents.comparables import Values
    >>> _short_parts(Values({}, set(), whole=True, texts=["tbl_vat", "https://www.b.com/x1.txt", "a lot of it"]))
    ['tbl', 'vat', 'x1']
    """
    texts = [text for text in values.texts[:_MAX_PARTS] if len(text.split()) == 1]
    bare = [_EXTENSION.sub("", text[:_LONGEST_ARGUMENT]) for text in texts]
    words = [word for text in bare for word in words_in(text)[:_MAX_PARTS] if word not in _OF_ADDRESSES]
    return [word for word in words if _is_short_name(word) and not parts_of(word)]


def _is_short_name(word: str) -> bool:
    """Return whether *word* is no number, and has three letters or a digit."""
    return word.isalnum() and not word.isdecimal() and (len(word) >= _SHORTEST_NAME or not word.isalpha())


def _short_values(values: Values) -> frozenset[str]:
    """
    Return the texts of *values*, and the names of the files in them and their extensions.

    >>> from otel_parallelism.analysis.dependencies.contents.comparables import Values
    >>> sorted(_short_values(Values({}, set(), whole=True, texts=["VAT", "src/money/tax.py:12:def a(b)"])))
    ['py', 'src/money/tax.py:12:def a(b)', 'tax', 'vat']
    """
    found: set[str] = set()
    for text in paced(values.texts[:_MAX_PARTS]):
        shown = text[:_LONGEST_TEXT].strip().casefold()
        found.add(shown)
        found.update(name for file in _FILE.findall(shown) for name in file if name)
    return frozenset(found)


def first_places(text: str, parts: Collection[str]) -> dict[str, int]:
    """
    Return where in *text* each of *parts* first stands; those that stand nowhere are left out.

    Many parts are found in one pass over the text, so that the time does not grow with their product.

    Args:
        text: Any text.
        parts: Texts that are not empty.

    >>> first_places("bluelamp", ["lamp", "lampshade"])
    {'lamp': 4}
    """
    if not text or len(parts) <= _FEW_PARTS:
        return {part: place for part in paced(parts) if (place := text.find(part)) >= 0}
    # By their beginning, and by their length: the parts that have not been found yet.
    waiting: dict[str, dict[int, set[str]]] = {}
    shortest = min(map(len, parts))
    pause()
    for part in paced(parts):
        waiting.setdefault(part[:shortest], {}).setdefault(len(part), set()).add(part)
    found: dict[str, int] = {}
    for place in paced(range(len(text) - shortest + 1)):
        by_length = waiting.get(text[place : place + shortest])
        if by_length is None:
            continue
        for length, some in by_length.items():
            part = text[place : place + length]
            if part in some:
                some.remove(part)
                found[part] = place
    empty(waiting)
    return found


def _all_parts(values: Values) -> list[str]:
    return [part for text in values.texts[:_MAX_PARTS] for part in parts_of(text)][:_MAX_PARTS]

"""Lines of styled text: wrapping with a hanging indent, and printing with or without colours."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from otel_parallelism.shown_names import without_commands

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import RenderableType

GLUE: Final = "\N{NO-BREAK SPACE}"
"""A space at which no line is broken."""
_GAP: Final = 2
_LEAST_NAME: Final = 14

_TO_ASCII: Final = str.maketrans({"·": "-", "→": ">", "…": "~", "–": "-", "\N{MULTIPLICATION SIGN}": "x"})
_UNIT: Final = re.compile(r"(?<=\d) (?=m?s\b)| (?=×\d)")


def unbreakable(phrase: str) -> str:
    """Return *phrase* with spaces at which no line is broken."""
    return phrase.replace(" ", GLUE)


def wrapped_lines(text: Text, width: int, indent: int = 0) -> list[Text]:
    """
    Return *text* in lines of at most *width* cells, the second and later ones indented by *indent*.

    No line is broken between a number and its unit, or between a name and its multiplicity.
    """
    text.plain = _UNIT.sub(GLUE, text.plain)
    lines = [line for line in text.divide(_breaks(text.plain, width, width - indent)) if line.plain]
    for line in lines:
        line.rstrip()
    return [line if not at else Text(" " * indent).append_text(line) for at, line in enumerate(lines)]


def _breaks(plain: str, width: int, later_width: int) -> Iterator[int]:
    """Yield the positions of line breaks. Only a word that is longer than a line is broken."""
    used, room = 0, width
    for word in re.finditer("[^ ]+ *| +", plain):
        if used and used + cell_len(word.group().rstrip(" ")) > room:
            yield word.start()
            used, room = 0, later_width
        for at, character in enumerate(word.group(), word.start()):
            if used + cell_len(character) > room and character != " ":
                yield at
                used, room = 0, later_width
            used += cell_len(character)


def printed(parts: Iterable[RenderableType], width: int, *, colour: bool) -> str:
    """Return *parts* as lines of text, with ANSI colours if *colour*. No line is a command for a runner of CI."""
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        legacy_windows=False,
        force_jupyter=False,
        _environ={},
    )
    with console.capture() as capture:
        console.print(Group(*parts))
    text = capture.get().replace(GLUE, " ")
    return without_commands("".join(line.rstrip() + "\n" for line in text.rstrip("\n").split("\n")))


def to_ascii(text: str) -> str:
    """Return *text* with each character that is not ASCII replaced by ASCII of the same width."""
    return "".join(
        character if character.isascii() else "?" * cell_len(character) for character in text.translate(_TO_ASCII)
    )


def fitted_table(columns: Mapping[str, Sequence[str]], width: int, left_out_first: Sequence[str]) -> Table:
    """
    Return *columns* as a table.

    If *width* is too small, the columns *left_out_first* are left out, one after another; only names, in the first
    column, are cut.
    """
    columns = dict(columns)
    name = next(iter(columns))
    needed = {title: max(map(cell_len, (title, *column))) + _GAP for title, column in columns.items()}
    least = min(needed[name], _LEAST_NAME)
    for title in left_out_first:
        if title in columns and sum(needed.values()) - needed[name] + least > width:
            del columns[title], needed[title]
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    for title in columns:
        most = max(least, width - sum(needed.values()) + needed[name]) if title == name else None
        table.add_column(
            title, justify="left" if title == name else "right", no_wrap=True, overflow="ellipsis", max_width=most
        )
    for row in zip(*columns.values(), strict=True):
        table.add_row(*map(Text, row))
    return table

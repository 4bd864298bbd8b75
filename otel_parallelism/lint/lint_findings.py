"""What the lint reports: kinds, findings, and the edits that mend them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

LintKind: TypeAlias = Literal["serial_awaits", "await_in_loop", "blocking_call"]

LINT_KINDS: Final[Mapping[LintKind, str]] = {
    "serial_awaits": "Calls are awaited one after the other although none needs another.",
    "await_in_loop": "A loop awaits a call for one item after the other although no iteration needs an earlier one.",
    "blocking_call": "A call inside an async function blocks the event loop.",
}
"""One sentence on each kind of finding."""


class LintFinding(msgspec.Struct, frozen=True):
    """
    One place in a file that can be improved.

    Attributes:
        path: The file, as it was given; ``-`` for standard input.
        line: The first line, from 1.
        end_line: The last line.
        kind: What was found.
        message: What was found, the variables that were followed, and what to do, in one or two sentences.
        fixable: Whether ``--fix`` rewrites the place.
        measured_s: The seconds that reports say could be saved there; unset where no report was given.
    """

    path: str
    line: int
    end_line: int
    kind: LintKind
    message: str
    fixable: bool = False
    measured_s: float | msgspec.UnsetType = msgspec.UNSET


class TextEdit(msgspec.Struct, frozen=True):
    """Text to put in place of a part of a file, from one offset in characters up to another."""

    start: int
    end: int
    text: str


class LintResult(msgspec.Struct, frozen=True):
    """
    What was found in one file.

    Attributes:
        findings: In order of their lines.
        ignored: The number of findings that a comment silences.
        fixed: The text with all fixable findings rewritten; None if there are none.
    """

    findings: tuple[LintFinding, ...]
    ignored: int = 0
    fixed: str | None = None

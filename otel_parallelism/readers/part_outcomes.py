"""How the reading of the parts of a file ended, and what that says of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.errors import UnreadableError

from .any_format import EXPECTED, no_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class LineError(msgspec.Struct, frozen=True):
    """What an `UnreadableError` says, with the ``line`` counted from the start of a part. It can be pickled."""

    path: str
    line: int | None
    problem: str
    expected: str

    def raised(self, before: int = 0) -> UnreadableError:
        """Return the error of a part with *before* lines before it."""
        line = None if self.line is None else before + self.line
        return UnreadableError(self.path, line, self.problem, self.expected)


class PartOutcome(msgspec.Struct, frozen=True):
    """
    How the reading of a part ended.

    Attributes:
        lines: Its number of lines.
        found: Whether it has spans.
        errors: The errors of its lines.
        further: The number of further errors.
        others: The other signals in it, such as metrics.
        fatal: The error that ended the reading of the file; None if there was none.
        stopped: Whether the lines of the file that follow are not read.
        some_times_refused: Whether the times of a span were refused; what the file has before can make them plausible.
    """

    lines: int = 0
    found: bool = False
    errors: tuple[LineError, ...] = ()
    further: int = 0
    others: frozenset[str] = frozenset()
    fatal: LineError | None = None
    stopped: bool = False
    some_times_refused: bool = False


def must_be_read_whole(outcomes: Sequence[PartOutcome]) -> bool:
    """
    Return whether only reading a file as one part shows which of its spans count, and what is wrong with it.

    Where the whole file fails depends on its format, and it may fail before what a part can read.
    """
    return len(outcomes) > 1 and any(one.fatal is not None or one.some_times_refused for one in outcomes)


def report_errors(path: str, outcomes: Sequence[PartOutcome], skip: Callable[[UnreadableError], None]) -> int:
    """
    Report what went wrong in the parts of a file, as `read_spans` does for the whole.

    Args:
        path: The file.
        outcomes: How the reading of each part ended, in order. If one part failed, it is that of the whole file.
        skip: Called with each error that costs only a line.

    Returns:
        How many of the parts count: no part after a line that ends the reading.

    Raises:
        UnreadableError: The file is unreadable, or has no spans.
    """
    fatal = next((one.fatal for one in outcomes if one.fatal is not None), None)
    ended = None if fatal is None else fatal.raised()
    counted = next((number for number, one in enumerate(outcomes, 1) if one.stopped), len(outcomes))
    errors: list[UnreadableError] = []
    before = 0
    for one in outcomes[:counted]:
        errors += [error.raised(before) for error in one.errors]
        errors += [UnreadableError(path, None, "it cannot be read", EXPECTED)] * one.further
        before += one.lines
    some_found = any(one.found for one in outcomes[:counted])
    if len(outcomes) > 1 and not some_found and errors:
        raise errors[0]
    for unread in errors:
        skip(unread)
    if ended is not None:
        raise ended
    others = set[str]().union(*(one.others for one in outcomes[:counted]))
    if others and not some_found:
        raise no_spans(path, others)
    return counted

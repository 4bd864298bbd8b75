"""
Handles internal errors: each is logged or counted, and none reaches the program.

An error that only interrupted our code belongs to the program, and goes on to it.
"""

from __future__ import annotations

import logging
import traceback
from itertools import islice
from typing import TYPE_CHECKING

from otel_parallelism.interruptions import is_interruption, traceback_of
from otel_parallelism.names import INSTRUMENTATION

from .left_locks import release_left_locks

if TYPE_CHECKING:
    from types import TracebackType

_logger = logging.getLogger(INSTRUMENTATION)
_counts: dict[tuple[str, str], int] = {}
_MAX_KINDS = 1_000
_MAX_OWN_DEPTH = 100
"""A recursion of ours that does not end has more frames."""
_MAX_FRAMES = 100
"""The most frames in the text of a stack: half of them the outermost, half the innermost."""


def swallow(where: str, error: BaseException) -> None:
    """
    Log the first internal *error* of a kind, and count later ones.

    Where the program has used up the recursion limit, our code fails as the program's does, and that is no internal
    error.

    Args:
        where: The operation that failed, such as "ending a turn".
        error: The error. Its type and traceback are logged; its message is not, because it may quote content.

    Raises:
        BaseException: The *error* itself, where it is the program's; see `is_interruption`.
    """
    if is_interruption(error):
        release_left_locks(error)
        try:
            raise error
        finally:
            # The traceback holds this frame, which would hold the error.
            del error
    if type(error) is RecursionError and _is_short(error.__traceback__):
        return
    kind = (where, type(error).__qualname__)
    seen = _counts.get(kind, 0)
    if seen or len(_counts) < _MAX_KINDS:
        _counts[kind] = seen + 1
    if not seen:
        # The program's logging handlers may raise.
        try:
            _logger.warning(
                "internal error while %s: %s; the program is not affected, more of this kind are only counted\n%s",
                where,
                kind[1],
                stack_text(traceback_of(error)).rstrip(),
            )
        except Exception as failure:
            if is_interruption(failure):
                raise


def _is_short(trace: TracebackType | None) -> bool:
    """Return whether *trace* has at most `_MAX_OWN_DEPTH` frames."""
    return next(islice(traceback.walk_tb(trace), _MAX_OWN_DEPTH, None), None) is None


def stack_text(trace: TracebackType | None) -> str:
    """
    Return the files, lines and functions of *trace*, without the text of the lines.

    The text may be content: the cell of a notebook, or code that a model wrote.
    """
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(trace)]
    if len(frames) > _MAX_FRAMES:
        frames = [*frames[: _MAX_FRAMES // 2], *frames[-_MAX_FRAMES // 2 :]]
    return "".join(f'  File "{code.co_filename}", line {line}, in {code.co_name}\n' for code, line in frames)


def internal_errors() -> dict[str, int]:
    """Return how often each kind of internal error occurred; a key is ``"operation: error type"``."""
    return {f"{where}: {kind}": count for (where, kind), count in _counts.items()}

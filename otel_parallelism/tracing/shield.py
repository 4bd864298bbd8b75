"""
Handles internal errors: each is logged or counted, and none reaches the program.

An error that only interrupted our code belongs to the program, and goes on to it.
"""

from __future__ import annotations

import logging
import traceback

from otel_parallelism.interruptions import is_interruption
from otel_parallelism.names import INSTRUMENTATION

_logger = logging.getLogger(INSTRUMENTATION)
_counts: dict[tuple[str, str], int] = {}
_MAX_KINDS = 1_000


def swallow(where: str, error: BaseException) -> None:
    """
    Log the first internal *error* of a kind, and count later ones.

    Args:
        where: The operation that failed, such as "ending a turn".
        error: The error. Its type and traceback are logged; its message is not, because it may quote content.

    Raises:
        BaseException: The *error* itself, where it is the program's; see `is_interruption`.
    """
    if is_interruption(error):
        raise error
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
                "".join(traceback.format_tb(error.__traceback__)).rstrip(),
            )
        except Exception as failure:
            if is_interruption(failure):
                raise


def internal_errors() -> dict[str, int]:
    """Return how often each kind of internal error occurred; a key is ``"operation: error type"``."""
    return {f"{where}: {kind}": count for (where, kind), count in _counts.items()}

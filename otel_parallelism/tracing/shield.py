"""The one place where errors of our own end: telemetry never hurts the program it watches."""

from __future__ import annotations

import logging
import traceback

from otel_parallelism.names import INSTRUMENTATION

_logger = logging.getLogger(INSTRUMENTATION)
_counts: dict[tuple[str, str], int] = {}
_MOST_KINDS = 1_000


def swallow(where: str, error: BaseException) -> None:
    """
    Note an internal *error* that must not reach the program: the first of a kind is logged, later ones are counted.

    Args:
        where: What was being done, as in "ending a turn".
        error: What went wrong. Its type and where it was raised are logged, its message is not: it may quote content.
    """
    kind = (where, type(error).__qualname__)
    seen = _counts.get(kind, 0)
    if seen or len(_counts) < _MOST_KINDS:
        _counts[kind] = seen + 1
    if not seen:
        # Handlers are the program's own and may raise as well.
        try:
            _logger.warning(
                "internal error while %s: %s; the program is not affected, more of this kind are only counted\n%s",
                where,
                kind[1],
                "".join(traceback.format_tb(error.__traceback__)).rstrip(),
            )
        except Exception:  # noqa: BLE001 - there is nowhere left to report to
            return


def internal_errors() -> dict[str, int]:
    """Return how often each kind of internal error happened, by what was being done and the error's type."""
    return {f"{where}: {kind}": count for (where, kind), count in _counts.items()}

"""
Refuses spans whose times cannot be right: they have no start, last for years, or count another unit than the format's.

A format that has nanoseconds does not say so in the file. Milliseconds read as nanoseconds are of January 1970, and
durations are a millionth of what they were. Clocks of tests start near zero too, so that a time of 1970 alone is no
error: as another unit, the times of all early spans of a value have to be of these years, and some span has to end
later than it starts, by a day at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from .field_errors import WrongFieldError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_parallelism.model import SpanRecord

_LONGEST_NS: Final = 10**17
"""Some three years."""
_EARLY_NS: Final = 10**17
"""Times before this one, of March 1973, are those of a clock that starts near zero, or in another unit."""
_FIRST_NS: Final = 1_400_000_000 * 10**9
_LAST_NS: Final = 2_200_000_000 * 10**9
"""May 2014 and September 2039."""
_DAY_NS: Final = 86_400 * 10**9
_WITHOUT_START: Final = "a span starts at 0 and ends at a time of day"
_YEAR_NS: Final = 31_556_952 * 10**9
_EXPECTED: Final = "times in the unit of the format, such as nanoseconds since 1970 in OTLP"
_FACTORS: Final = (10**3, 10**6, 10**9)


class PlausibleTimes:
    """
    The times in one file.

    Attributes:
        some_refused: Whether a span was refused.
    """

    def __init__(self) -> None:
        """Begin without knowing anything of the file's clock."""
        self.some_refused: bool = False
        self._starts_near_zero = False
        self._factor = 0

    def decoder(self, decode: Callable[[Any], list[SpanRecord]]) -> Callable[[Any], list[SpanRecord]]:
        """Return a function that decodes as *decode* does, and refuses what `checked` refuses."""
        return lambda value: self.checked(decode(value))

    def checked(self, spans: list[SpanRecord]) -> list[SpanRecord]:
        """
        Return *spans*, which are those of one value, such as a line.

        Raises:
            WrongFieldError: A span has no start, or lasts for more than three years, or the times count another unit
                than the format's.
        """
        early: list[SpanRecord] = []
        for span in spans:
            start_ns, end_ns = span.start_ns, span.end_ns
            if end_ns - start_ns > _LONGEST_NS:
                self._refuse("a span lasts for more than three years" if start_ns else _WITHOUT_START)
            if start_ns < _EARLY_NS and start_ns and end_ns:
                early.append(span)
        if early and not self._starts_near_zero:
            self._check_unit(early)
        return spans

    def _check_unit(self, early: Sequence[SpanRecord]) -> None:
        """Check the unit of the *early* spans of one value."""
        factors = {_factor(span) for span in early}
        if len(factors) > 1 or 0 in factors:
            self._starts_near_zero = True
            return
        [factor] = factors
        if factor != self._factor and all(span.end_ns <= span.start_ns for span in early):
            return  # single moments show nothing
        self._factor = factor
        year = 1970 + early[0].start_ns * factor // _YEAR_NS
        self._refuse(f"the times are of January 1970; {factor:,} times as large, they are of {year}", _EXPECTED)

    def _refuse(self, problem: str, expected: str = "") -> NoReturn:
        self.some_refused = True
        raise WrongFieldError(problem, expected)


def _factor(span: SpanRecord) -> int:
    """Return by how much the times of *span* have to be multiplied to be of these years; 0 if no unit gives that."""
    for factor in _FACTORS:
        if _FIRST_NS <= span.start_ns * factor <= _LAST_NS:
            return factor if (span.end_ns - span.start_ns) * factor <= _DAY_NS else 0
    return 0

"""
The time up to which a partition has been read.

It is not the time of day. A consumer that was down, or waits for a broker, has not yet seen spans that are there; by
the time of day, their traces would look complete. So this clock goes on with the times of the messages, and with the
time of day only where the broker says that there is no further message.
"""

from __future__ import annotations

from typing import Final

NOT_STARTED: Final = float("-inf")


class PartitionClock:
    """The clock of one partition, in milliseconds; it never goes back."""

    def __init__(self) -> None:
        self.ms: float = NOT_STARTED

    def read_message(self, timestamp_ms: float, now_ms: float) -> float:
        """
        Go on to the time of a message, and return when it came by this clock.

        A producer's clock that is ahead of the time of day *now_ms* does not count. A message without a time came now,
        and the clock does not go on by it.
        """
        if timestamp_ms <= 0:
            return now_ms
        self.ms = max(self.ms, min(timestamp_ms, now_ms))
        return self.ms

    def reach_end(self, now_ms: float) -> None:
        """Go on to *now_ms*: everything that was there at this time has been read."""
        self.ms = max(self.ms, now_ms)

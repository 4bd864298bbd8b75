"""The known behaviour of frameworks, which the contract tests assert."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Dispatch:
    """
    How a framework runs the calls of one response.

    Attributes:
        peak: How many of three calls run at once.
        cause: The cause of the finding for three calls; None if there is no finding.
        ten_peak: How many of ten calls run at once.
        ten_cause: The cause of the finding for ten calls; None if there is no finding.
        waits: Whether a call may wait for another call before its body runs.
        rounds: The verdict where the model requests the calls one by one.
        own_loops: Whether each async tool runs in a thread with an event loop of its own, so that none holds another.
    """

    peak: int = 3
    cause: str | None = None
    ten_peak: int = 10
    ten_cause: str | None = None
    waits: bool = False
    rounds: str = "sequential"
    own_loops: bool = False


PARALLEL = Dispatch()
ONE_BY_ONE = Dispatch(1, "dispatch", 1, "dispatch")
BLOCKING = Dispatch(1, "blocking", 1, "blocking")
ONE_A_STEP = Dispatch(1, "model", 1, "model")
QUEUED = Dispatch(3, None, 10, "contention", waits=True)
"""All calls are sent at once to a receiver that runs one at a time, which ten calls of one tool show."""

LOCKED = replace(QUEUED, rounds="possibly_sequential")
"""The same, where the lock by which the receiver does so is seen."""


@dataclass(frozen=True)
class Behaviour:
    """
    What a framework's contract expects.

    Attributes:
        modules: The names of the framework's entries in the catalogue.
        distribution: The distribution whose version is checked.
        asynchronous: How the framework runs async tools; None if it accepts none.
        blocking: How it runs plain functions; None if it accepts none.
        steps: Whether its model requests are recorded.
        ids: Whether the ids of requested calls are recorded, so that rounds are proved.
        streams: Whether a turn can be streamed.
        cancels: Whether a turn can be cancelled.
        fails: Whether a tool's error ends the run instead of becoming a result for the model.
        prefix: What the framework puts in front of the tools' names.
        turns: Whether the framework makes the turn; if not, the program opens it.
        by_hand: Whether the program itself marks turn and calls, so that patches record only model requests.
        round_trip: Seconds that a call may take longer than its body.
        describes: Whether what the model reads of a tool is known with its calls.
        functions: Whether the functions of the tools are known.
        steps_beside: Number of extra steps of a framework that requests one call for each step; None for others.
    """

    modules: tuple[str, ...]
    distribution: str
    asynchronous: Dispatch | None = PARALLEL
    blocking: Dispatch | None = PARALLEL
    steps: bool = True
    ids: bool = True
    streams: bool = True
    cancels: bool = True
    fails: bool = False
    prefix: str = ""
    turns: bool = True
    describes: bool = True
    functions: bool = True
    by_hand: bool = False
    round_trip: float = 0.0
    steps_beside: int | None = None

    def steps_of(self, asking: int, calls: int) -> int:
        """Return the number of steps of a turn whose model requests *calls* calls in *asking* responses."""
        return asking + 1 if self.steps_beside is None else calls + self.steps_beside

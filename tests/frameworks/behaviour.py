"""What is known of a framework's behaviour, which its contract asserts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dispatch:
    """
    What a framework does with the calls of one response.

    ``peak`` is how many of three run at once, ``ten_peak`` how many of ten. ``cause`` is that of the finding in the
    burst of three, None where there is none; ``ten_cause`` likewise. ``waits``: a call may wait for another inside,
    and take longer than its body.
    """

    peak: int = 3
    cause: str | None = None
    ten_peak: int = 10
    ten_cause: str | None = None
    waits: bool = False


PARALLEL = Dispatch()
ONE_BY_ONE = Dispatch(1, "dispatch", 1, "dispatch")
BLOCKING = Dispatch(1, "blocking", 1, "blocking")
ONE_A_STEP = Dispatch(1, "model", 1, "model")
QUEUED = Dispatch(3, None, 10, "contention", waits=True)
"""All are sent at once to somebody who takes one at a time, which ten calls of one tool show."""


@dataclass(frozen=True)
class Behaviour:
    """
    What a framework's contract expects.

    ``modules`` are its names in the catalogue. ``asynchronous`` and ``blocking`` say what happens to tools of that
    kind, None where it takes none. ``steps``: whether its model requests are seen. ``ids``: whether the model's ids of
    the calls are known, so that rounds are proved. ``streams`` and ``cancels``: whether there is such a way to run a
    turn. ``fails``: a tool's error ends the run instead of being told the model. ``turns``: it has runs of its own;
    else the program opens the turn. ``by_hand``: turn and calls are marked by the program itself, and only its model
    requests are seen by the patches. ``round_trip``: seconds that a call may take beyond its body, to get there and
    back. ``steps_beside``: it asks for one tool a step whatever the model would, and has so many steps beside; None
    where it asks for what the model does. ``prefix`` is what it puts in front of the tools' names.
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
    by_hand: bool = False
    round_trip: float = 0.0
    steps_beside: int | None = None

    def steps_of(self, asking: int, calls: int) -> int:
        """The number of steps of a turn in which the model asks for *calls* tools in *asking* responses."""
        return asking + 1 if self.steps_beside is None else calls + self.steps_beside

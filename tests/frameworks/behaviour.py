"""What is known of a framework's behaviour, which its contract asserts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dispatch:
    """
    What a framework does with the calls of one response.

    ``peak`` is how many of three run at once, ``ten_peak`` how many of ten. ``cause`` is that of the finding in the
    burst of three, None where there is none; ``ten_cause`` likewise.
    """

    peak: int = 3
    cause: str | None = None
    ten_peak: int = 10
    ten_cause: str | None = None


PARALLEL = Dispatch()
ONE_BY_ONE = Dispatch(1, "dispatch", 1, "dispatch")
BLOCKING = Dispatch(1, "blocking", 1, "blocking")


@dataclass(frozen=True)
class Behaviour:
    """
    What a framework's contract expects.

    ``modules`` are its names in the catalogue. ``asynchronous`` and ``blocking`` say what happens to tools of that
    kind, None where it takes none. ``steps``: whether its model requests are seen. ``ids``: whether the model's ids of
    the calls are known, so that rounds are proved. ``streams`` and ``cancels``: whether there is such a way to run a
    turn. ``fails``: a tool's error ends the run instead of being told the model. ``by_hand``: turn and calls are marked
    by the program itself, and only its model requests are seen by the patches.
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
    by_hand: bool = False

"""
Resets the registry in a forked child process.

Open turns and metrics that are not recorded yet stay with the parent process, as in the SDK's own processors. Locks are
replaced, because a thread that held one does not exist in the child. Importing this module is enough.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from otel_parallelism.tracing.sdk.current import get_current

from .nodes import SCOPE_KEY, Node
from .registry import REGISTRY
from .turn_end.analysis_thread import ANALYSIS_THREAD
from .turn_end.late_ends import forget_late_ends

if TYPE_CHECKING:
    from collections.abc import Iterator


def start_over() -> None:
    """Forget everything open. Calls that run in the context of a turn of the parent process belong to no turn."""
    REGISTRY.lock = threading.RLock()
    ANALYSIS_THREAD.forget()
    forget_late_ends()
    scope: Any = get_current().get(SCOPE_KEY)
    for node in (*REGISTRY.turns.values(), *REGISTRY.candidates.values(), *_upwards(scope)):
        node.finished = True
        node.children = None
    REGISTRY.clear()
    for follower in REGISTRY.followers:
        follower.seen = 0
    if REGISTRY.instruments is not None:
        REGISTRY.instruments.forget()


def _upwards(node: Node | None) -> Iterator[Node]:
    """Yield *node* and its ancestors."""
    while node is not None:
        yield node
        node = node.parent


def follow_forks(*locks: Any) -> None:
    """Release *locks* in every process forked from this one."""
    if hasattr(os, "register_at_fork"):
        for lock in locks:
            os.register_at_fork(after_in_child=lock._at_fork_reinit)  # noqa: SLF001 - as the standard library's own modules do


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=start_over)

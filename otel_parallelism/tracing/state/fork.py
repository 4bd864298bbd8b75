"""
What a forked process does first: it starts over.

What its parent has open, or has yet to record, is the parent's to end and to count, as the SDK's own processors have
it; and the threads that held a lock are not there any more to give it back.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from otel_parallelism.tracing.sdk.current import get_current

from .nodes import SCOPE_KEY, Node
from .registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterator


def start_over() -> None:
    """Forget all that is open; what this process does in the context of its parent's turns is in none of them."""
    REGISTRY.lock = threading.RLock()
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
    while node is not None:
        yield node
        node = node.parent


def follow_forks(lock: Any) -> None:
    """Start over in every process that is forked from this one, and make *lock* one that nobody holds."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lock._at_fork_reinit)  # noqa: SLF001 - as the standard library does
        os.register_at_fork(after_in_child=start_over)

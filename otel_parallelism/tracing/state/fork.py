"""
Resets the registry in a forked child process, and lets imports of ours end before a process is forked.

Open turns and metrics that are not recorded yet stay with the parent process, as in the SDK's own processors. Locks are
replaced, because a thread that held one does not exist in the child. Importing this module is enough.
"""

from __future__ import annotations

import contextlib
import os
import threading
from importlib import _bootstrap, import_module
from typing import TYPE_CHECKING, Any, Final

from otel_parallelism.tracing.sdk.current import get_current

from .nodes import SCOPE_KEY, Node
from .registry import REGISTRY
from .turn_end.analysis_thread import ANALYSIS_THREAD
from .turn_end.late_ends import forget_late_ends

if TYPE_CHECKING:
    from collections.abc import Iterator


_PACKAGE: Final = __name__.partition(".")[0]
_IMPORTED_LATE: Final = frozenset({"email.feedparser", "email.parser"})
"""Modules that the first call imports, to read the version of this package."""


def finish_imports() -> None:
    """
    Wait until no other thread imports a module of this package.

    The first turn with a finding imports the analysis of source, for example. A child that is forked meanwhile would
    wait for that import as soon as it needs the module itself, and nothing in the child would ever end it.
    """
    for name in tuple(getattr(_bootstrap, "_module_locks", ())):
        if name.partition(".")[0] == _PACKAGE or name in _IMPORTED_LATE:
            # It waits for the other thread, and returns at once where this thread is the one that imports.
            with contextlib.suppress(Exception):
                import_module(name)


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
    os.register_at_fork(before=finish_imports, after_in_child=start_over)

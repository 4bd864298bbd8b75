"""What an outer function of a framework knows, such as a call's id, for the calls that an inner one makes."""

from __future__ import annotations

from typing import Any

from opentelemetry.context import Context

from otel_parallelism.tracing.sdk.current import attach, detach, get_current


class ContextValue:
    """A lifetime that leaves no span: as long as it lasts, the context holds *value* under *key*."""

    __slots__ = ("_key", "_token", "_value")

    def __init__(self, key: str, value: Any) -> None:
        self._key = key
        self._value = value
        self._token: Any = None

    def enter(self) -> None:
        """Begin to hold it."""
        self._token = attach(Context({**get_current(), self._key: self._value}))

    def leave(self) -> Context:
        """Give back what was current before, and return the context that holds it."""
        context = get_current()
        token, self._token = self._token, None
        if token is not None:
            detach(token)
        return context

    def seen(self, item: Any) -> None:
        """Nothing."""

    def end(self, result: Any) -> None:  # noqa: ARG002 - the protocol's
        """Hold it no more."""
        self.leave()

    def fail(self, error: BaseException) -> None:  # noqa: ARG002 - likewise
        """Hold it no more."""
        self.leave()

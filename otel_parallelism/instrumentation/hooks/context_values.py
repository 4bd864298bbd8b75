"""Values that an outer function of a framework passes to wrappers of inner functions, such as the id of a call."""

from __future__ import annotations

from typing import Any

from opentelemetry.context import Context

from otel_parallelism.tracing.sdk.current import attach, detach, get_current


class ContextValue:
    """A lifetime without a span: while it lasts, the context holds *value* under *key*."""

    __slots__ = ("_key", "_token", "_value")

    def __init__(self, key: str, value: Any) -> None:
        self._key = key
        self._value = value
        self._token: Any = None

    def enter(self) -> None:
        """Attach a context that holds the value."""
        self._token = attach(Context({**get_current(), self._key: self._value}))

    def leave(self) -> Context:
        """Detach the context that holds the value, and return it."""
        context = get_current()
        token, self._token = self._token, None
        if token is not None:
            detach(token)
        return context

    def seen(self, item: Any) -> None:
        """Do nothing."""

    def end(self, result: Any) -> None:  # noqa: ARG002 - the protocol's signature
        """Detach the context that holds the value."""
        self.leave()

    def fail(self, error: BaseException) -> None:  # noqa: ARG002 - as above
        """Detach the context that holds the value."""
        self.leave()

"""``agent_turn``: marks one agent run with a span, which carries the turn's result when it ends."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind

from otel_parallelism import clock, names
from otel_parallelism.model import Content, Report
from otel_parallelism.tracing.sdk.current import SPAN_KEY, attach, get_current, restore
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.state.live_tree import leave_turn, link_node, new_span_id, parent_node
from otel_parallelism.tracing.state.nodes import SCOPE_KEY, TurnNode
from otel_parallelism.tracing.state.registry import REGISTRY
from otel_parallelism.tracing.state.turn_end.ending import abandon_turn, finish
from otel_parallelism.tracing.state.turn_end.late_ends import LateEnd
from otel_parallelism.tracing.state.user_words import hold_words

from .arguments import check_arguments
from .details import write_error
from .function_names import copy_named_like, name_like
from .generator_steps import drive, drive_async
from .kinds import is_awaited, kind_of, wrapped_as

if TYPE_CHECKING:
    from types import TracebackType

F = TypeVar("F", bound=Callable[..., Any])


class AgentTurn(AbstractContextManager["AgentTurn"], AbstractAsyncContextManager["AgentTurn"]):
    """
    One agent run, during and after the run.

    Attributes:
        span: The turn's span; use it like any span.
        measured: None, because only calls are measured; see ``Stretch``.
    """

    measured: None = None

    def __init__(
        self,
        name: str | None,
        agent: str | None,
        input: object,  # noqa: A002 - the argument's name
        duplicate_scopes: frozenset[str] = frozenset(),
    ) -> None:
        self._name = name
        self._agent = agent if agent is not None else name
        self._input = input
        self._duplicate_scopes = duplicate_scopes
        self.span: Span = INVALID_SPAN
        self._outcome: Report | LateEnd | None = None
        self._node: TurnNode | None = None
        self._token: Any = None

    @property
    def report(self) -> Report | None:
        """
        The turn's report; None while the turn is open, and if the package is disabled or failed.

        The report of a large turn is made after its end, in a thread; it is then waited for.
        """
        outcome = self._outcome
        return outcome.report() if isinstance(outcome, LateEnd) else outcome

    def __enter__(self) -> Self:
        """Start the turn's span and make it the current one."""
        return self._begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the result on the turn's span, and end the span."""
        try:
            self.end(error)
        except BaseException as failure:
            # An interruption may come before the first instruction of `end`.
            if self._token is not None or self.span.is_recording():
                self._abandon(failure)
            raise

    async def __aenter__(self) -> Self:
        """Start the turn's span and make it the current one."""
        return self._begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the result on the turn's span, and end the span."""
        self.__exit__(kind, error, trace)

    def __call__(self, function: F) -> F:
        """
        Decorate *function*, which may be sync, async or a generator: every run of it is a turn.

        Raises:
            TypeError: *function* cannot be called.
        """
        if not callable(function):
            raise TypeError(f"agent_turn decorates functions, not {type(function).__name__}")
        try:
            fallback = getattr(function, "__name__", None)
            name = self._name if self._name is not None else fallback
            decorated: F = _decorated(function, lambda: AgentTurn(name, self._agent or fallback, self._input))
        except Exception as error:  # noqa: BLE001 - the program has its function, whose runs are no turns
            swallow("decorating a function", error)
            return function
        return decorated

    def _begin(self) -> Self:
        if self._node is not None:
            raise RuntimeError("an agent_turn is entered once; make a new one for every run")
        current: Context | None = None
        try:
            registry = REGISTRY
            if registry.disabled:
                return self
            current = get_current()
            span_around: Any = current.get(SPAN_KEY)
            parent: Any = current.get(SCOPE_KEY)
            if parent is None or parent.span is not span_around:
                parent = parent_node(parent, span_around)
            agent = self._agent
            attributes: dict[str, Any] = {names.OPERATION_NAME: names.INVOKE_AGENT}
            title = names.INVOKE_AGENT
            if agent:
                attributes[names.AGENT_NAME] = agent
                title = f"{title} {agent}"
            start_ns = clock.now_ns()
            shift = clock.shift_ns() if parent is None else parent.shift
            begun_ns = start_ns + shift
            self.span = span = registry.tracer.start_span(title, current, SpanKind.INTERNAL, attributes, None, begun_ns)
            context = span.get_span_context()
            node = TurnNode(
                parent,
                span,
                context.span_id,
                start_ns,
                children=[],
                shift=shift,
                name=self._name or title,
                agent=agent or "",
                input=None if self._input is None or not registry.evidence else hold_words(Content(self._input)),
                trace_id=context.trace_id,
                duplicate_scopes=self._duplicate_scopes,
            )
            if registry.dispatch is not None:
                node.dispatch = registry.dispatch(node)
            registry.add_duplicate_scopes(self._duplicate_scopes)
            # Without an SDK a tracer returns the surrounding span again, or a span without an id.
            if not context.span_id or (span_around is not None and span_around.get_span_context() == context):
                node.span_id = new_span_id()
            else:
                registry.open_span(node)
            self._node = node
            registry.open_turn(node)
            if parent is not None and not link_node(node):
                # A turn around has ended: a task that it started goes on, and its turns stand alone.
                node.parent = None
            self._input = None
            self._become(_OpenTurn)
            self._token = attach(Context({**current, SPAN_KEY: span, SCOPE_KEY: node}))
            return self  # noqa: TRY300 - an interruption may come before it
        except BaseException as error:  # noqa: BLE001 - the run continues without a turn
            self._abandon(error, current)
            swallow("starting a turn", error)
            return self

    def _abandon(self, error: BaseException, outer: Context | None = None) -> None:
        """End the turn after *error* stopped its start or its end; *outer* is the context before its start."""
        token, self._token = self._token, None
        restore(token, outer)
        abandon_turn(self._node, self.span, error)
        self._become(AgentTurn)

    def _become(self: Any, kind: type[AgentTurn]) -> None:
        self.__class__ = kind

    def leave(self) -> None:
        """Restore the surrounding context, unless that was done already."""
        if self._token is not None and self._node is not None:
            leave_turn(self._node, self._token)
            self._token = None  # only now: an interruption may come before the first instruction of the function

    def start(self) -> Context:
        """Start the turn and return its context, without attaching it."""
        self._begin()
        context = get_current()
        self.leave()
        return context

    def drop(self) -> None:
        """End the turn if an interruption has left it open; see ``Stretch``."""
        if self._node is not None and not self._node.end_ns:
            self._abandon(GeneratorExit())

    def end(self, error: BaseException | None = None) -> None:
        """End the turn; *error* is the exception of the run, if any. Further calls do nothing."""
        try:
            node, span = self._node, self.span
            if node is None or node.end_ns:
                return
            node.end_ns = end_ns = clock.now_ns()
            self.leave()
            REGISTRY.spans.pop(node.span_id, None)
            if error is not None and not isinstance(error, GeneratorExit) and span.is_recording():
                write_error(span, error)
            self._outcome = finish(node, end_ns)
            span.end(end_ns + node.shift)
            self._become(AgentTurn)
        except BaseException as failure:  # noqa: BLE001 - the run has ended, and its result is kept
            self._abandon(failure)
            swallow("ending a turn", failure)


class _OpenTurn(AgentTurn):
    """An `AgentTurn` that is open. One that has ended has no ``__del__``: what interrupts that would be lost."""

    def __del__(self) -> None:
        """End the turn; an interruption may have come before the first instruction of ``__exit__``."""
        if not sys.is_finalizing():
            self.drop()


@overload
def agent_turn(name: F) -> F: ...
@overload
def agent_turn(
    name: str | None = None,
    *,
    agent: str | None = None,
    input: object = None,
) -> AgentTurn: ...
def agent_turn(name: Any = None, *, agent: str | None = None, input: object = None) -> Any:  # noqa: A002 - likewise
    """
    Mark one agent run as a turn: the calls inside belong to it, and its span carries the result when it ends.

    Use it with ``with`` or ``async with``, or as a decorator. It makes the span ``invoke_agent {agent}`` of the
    OpenTelemetry GenAI conventions. A framework that makes such a span itself does not need it.

    Args:
        name: The turn's name in reports, and the agent's name unless *agent* is given. Or the decorated function.
        agent: The agent's name, on the span and on metrics.
        input: The user's messages (a string or a list), held in memory until the turn ends. A value that the user gave
            is no evidence of a dependence between calls.

    Returns:
        A context manager with the attributes ``span`` and, after the end, ``report``.

    Raises:
        TypeError: *name* or *agent* is not a string.
    """
    if callable(name) and agent is None and input is None:
        return AgentTurn(None, None, None)(name)
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name must be a string, not {type(name).__name__}")
    if agent is not None and not isinstance(agent, str):
        raise TypeError(f"agent= must be a string, not {type(agent).__name__}")
    return AgentTurn(name, agent, input)


def _decorated(function: Any, make: Callable[[], AgentTurn]) -> Any:
    async def run_async(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with make():
            return await wrapped(*args, **kwargs)

    def call(wrapped: Any, _: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with make():
            return wrapped(*args, **kwargs)

    def call_async(wrapped: Any, _: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        check_arguments(wrapped, args, kwargs)
        return run_async(wrapped, args, kwargs)

    def call_generator(wrapped: Any, _: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if is_awaited(wrapped):
            return run_async(wrapped, args, kwargs)
        return drive_named(wrapped(*args, **kwargs), make())

    def call_async_generator(wrapped: Any, _: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return drive_async_named(wrapped(*args, **kwargs), make())

    name_like(run_async, function)
    drive_named, drive_async_named = copy_named_like(drive, function), copy_named_like(drive_async, function)

    wrappers = {
        "function": call,
        "coroutine": call_async,
        "generator": call_generator,
        "async generator": call_async_generator,
    }
    return wrapped_as(function, wrappers[kind_of(function)])

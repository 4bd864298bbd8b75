"""
Putting everything in place, and taking it out again.

The global provider is never set on a user's behalf: theirs would then be refused and their export lost. Where there
is none yet, the processor is attached when it arrives.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk.trace import SynchronousMultiSpanProcessor
from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider

from otel_parallelism.settings import Settings

from .metrics import TurnMetrics
from .processor import ParallelismProcessor
from .sdk.compatibility import remove_processor, serve_proxies, watch_global_provider
from .sdk.forwarding import exclude_own_spans
from .sdk.tracer import tracer_of
from .shield import swallow
from .state.fork import follow_forks
from .state.registry import REGISTRY, Subscriber

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from otel_parallelism.model import Coverage

_lock = threading.RLock()
_attached: list[tuple[Any, ParallelismProcessor]] = []
_undo: list[Callable[[], None]] = []

follow_forks(_lock)


def install(
    provider: TracerProvider | None = None,
    *,
    settings: Settings | None = None,
    meter_provider: MeterProvider | None = None,
    private: bool = False,
) -> None:
    """
    Follow the spans of *provider*, make our own with it, and record metrics. Calling it again changes only settings.

    Args:
        provider: An SDK tracer provider; without one the global one, now or as soon as it is set.
        settings: From the environment if not given.
        meter_provider: Where metrics go; the global one if not given.
        private: As long as no global provider is set, let a provider of our own, which exports nothing, serve the
            tracers that others ask for, so that frameworks with spans of their own are seen.

    Raises:
        ValueError: An environment variable cannot be read as its setting.
    """
    with _lock:
        installed = bool(_undo)
        if settings is not None or not installed:
            REGISTRY.configure(settings if settings is not None else Settings.from_environment())
        if not installed or meter_provider is not None:
            _use_metrics(meter_provider)
        if provider is not None:
            REGISTRY.use_tracer(tracer_of(provider))
            _attach(provider)
            return
        _attach_global()
        _follow_global()
        if private:
            _serve_privately()


def uninstall() -> None:
    """Undo `install`: attach to nothing, record no metrics, forget what is open. Decorated functions go on working."""
    with _lock:
        while _undo:
            try:
                _undo.pop()()
            except Exception as error:  # noqa: BLE001 - the rest is to be undone all the same
                swallow("uninstalling", error)
        REGISTRY.intercept_end = None
        REGISTRY.by_id = False
        REGISTRY.use_tracer(None)
        REGISTRY.clear()
        REGISTRY.configure(Settings())


def subscribe(callback: Subscriber) -> Callable[[], None]:
    """
    Call *callback* with the report of every turn that ends from now on, in the thread that ends it.

    Returns:
        What ends the subscription.
    """
    with _lock:
        REGISTRY.subscribers = (*REGISTRY.subscribers, callback)

    def unsubscribe() -> None:
        with _lock:
            REGISTRY.subscribers = tuple(other for other in REGISTRY.subscribers if other is not callback)

    return unsubscribe


def coverage() -> Coverage:
    """Return how much of what ran since `install` was understood: calls, calls without a turn, spans, anomalies."""
    return REGISTRY.coverage


def _use_metrics(provider: MeterProvider | None) -> None:
    instruments = TurnMetrics(provider, REGISTRY.settings, REGISTRY)
    before = REGISTRY.instruments
    if before is not None:
        before.stop()
    REGISTRY.instruments = instruments

    def undo() -> None:
        instruments.stop()
        if REGISTRY.instruments is instruments:
            REGISTRY.instruments = None

    _undo.append(undo)


def _attach(provider: Any) -> bool:
    """Add a processor to *provider*, once; false where it takes none."""
    if any(other is provider for other, _ in _attached):
        return True
    add = getattr(provider, "add_span_processor", None)
    if add is None:
        return False
    tracer = tracer_of(provider)
    processor = ParallelismProcessor()
    add(processor)
    around = getattr(tracer, "span_processor", None)
    exclude_own_spans(tracer, processor)
    if type(around) is not SynchronousMultiSpanProcessor:
        # Hooks may then run in threads that see none of the context that tells a span's decorated call.
        REGISTRY.by_id = True
    _attached.append((provider, processor))
    REGISTRY.followers.append(processor)

    def undo() -> None:
        processor.shutdown()
        if around is not None:
            tracer.span_processor = around  # type: ignore[attr-defined] # an SDK tracer: it had one
        _attached[:] = [pair for pair in _attached if pair[1] is not processor]
        REGISTRY.followers.remove(processor)
        remove_processor(provider, processor)

    _undo.append(undo)
    return True


def _attach_global() -> None:
    provider = trace.get_tracer_provider()
    if not isinstance(provider, trace.ProxyTracerProvider):
        _attach(provider)
        REGISTRY.use_tracer(tracer_of(None))


def _follow_global() -> None:
    """Attach to the global provider when it is set."""

    def attach() -> None:
        with _lock:
            try:
                _attach_global()
            except Exception as error:  # noqa: BLE001 - the program's provider is set in any case
                swallow("attaching to the global provider", error)

    undo = watch_global_provider(attach)
    if undo is not None:
        _undo.append(undo)


def _serve_privately() -> None:
    """Let a provider of our own serve proxy tracers until the program sets one."""
    provider = SdkTracerProvider(shutdown_on_exit=False)
    undo = serve_proxies(provider)
    if undo is not None:
        _attach(provider)
        _undo.append(undo)

"""
Installs the package beside a tracer provider, and uninstalls it.

The global provider is never set here: OpenTelemetry would then refuse the program's own provider, and its export would
be lost. If there is no global provider yet, the processor is attached when the program sets one.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics, trace
from opentelemetry.sdk.trace import SynchronousMultiSpanProcessor
from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider

from otel_parallelism.settings import Settings, misspelt_variables, read_settings, warn_once

from .metrics import TurnMetrics
from .processor import ParallelismProcessor
from .sdk.child_sampler import sample_as_before, sample_children
from .sdk.compatibility.global_provider import serve_proxies, watch_global_provider
from .sdk.compatibility.pipeline_parts import remove_processor
from .sdk.forwarding import exclude_own_spans
from .sdk.held_spans import hold_no_more
from .sdk.tracer import tracer_of
from .shield import swallow
from .state.bounds.held_evidence import HELD
from .state.fork import follow_forks
from .state.registry import REGISTRY, Subscriber
from .state.turn_end.analysis_thread import ANALYSIS_THREAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Tracer, TracerProvider

    from otel_parallelism.model import Coverage

_lock = threading.RLock()
_attached: list[tuple[Any, Tracer]] = []
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
    Follow the spans of *provider*, start our own spans with it, and record metrics.

    A second call changes only the settings. Nothing happens if ``OTEL_PARALLELISM_DISABLED`` or ``OTEL_SDK_DISABLED``
    is true. A wrong environment variable or ``pyproject.toml`` is logged as a warning, and the default is used.

    Args:
        provider: An SDK tracer provider; default: the global one, now or as soon as the program sets it.
        settings: The settings; default: those of the environment.
        meter_provider: The provider of our metrics; default: the global one.
        private: As long as no global provider is set, let a private provider, which exports nothing, serve all tracers.
            So frameworks that make spans themselves are seen.

    Raises:
        TypeError: An argument is of the wrong type.
    """
    _check(provider, settings, meter_provider)
    with _lock:
        installed = bool(_undo)
        if settings is not None or not installed:
            REGISTRY.configure(settings if settings is not None else usable_settings())
        if REGISTRY.disabled:
            return
        if not installed or meter_provider is not None:
            try:
                _use_metrics(meter_provider)
            except Exception as error:  # noqa: BLE001 - spans are followed without metrics
                swallow("making the instruments", error)
        try:
            if provider is not None:
                REGISTRY.use_tracer(_attach(provider))
                return
            _attach_global()
            _follow_global()
            if private:
                _serve_privately()
        except Exception as error:  # noqa: BLE001 - the program runs without its turns
            swallow("following a provider", error)


def uninstall() -> None:
    """
    Undo `install`: detach from providers, end subscriptions, forget open turns and what their calls hold.

    Decorated functions still work.
    """
    wait_for_reports()
    with _lock:
        _undo_all()
        REGISTRY.subscribers = ()
        REGISTRY.intercept_end = None
        REGISTRY.by_id = False
        REGISTRY.use_tracer(None)
        HELD.let_all_go()
        REGISTRY.clear()
        REGISTRY.configure(Settings())


def _undo_all() -> None:
    while _undo:
        try:
            _undo.pop()()
        except Exception as error:  # noqa: BLE001 - the other steps are still undone
            swallow("uninstalling", error)


def usable_settings(**arguments: Any) -> Settings:
    """
    Return the settings of the environment; log one warning for each variable or key that is wrong instead of raising.

    Each warning is logged once per process. It names the variable or key, its value and what was expected; the default
    is used.
    """
    settings, problems = read_settings(**arguments)
    warn_once(problems)
    if not settings.disabled:
        warn_once(misspelt_variables())
    return settings


def subscribe(callback: Subscriber) -> Callable[[], None]:
    """
    Call *callback* with the report of every turn that ends from now on.

    It is called in the thread that ends the turn, or in a thread of ours where the analysis takes longer than
    ``Settings.turn_end_budget``.

    Returns:
        A function that ends the subscription, once *callback* has the reports on all turns that have ended. `uninstall`
        ends all subscriptions.
    """
    with _lock:
        REGISTRY.subscribers = (*REGISTRY.subscribers, callback)

    def unsubscribe() -> None:
        wait_for_reports()
        with _lock:
            REGISTRY.subscribers = tuple(other for other in REGISTRY.subscribers if other is not callback)

    return unsubscribe


def wait_for_reports(timeout: float = 10.0) -> bool:
    """
    Wait until the reports on all turns that have ended are made, for at most *timeout* seconds.

    The report on a large turn is made in a thread; see ``Settings.turn_end_budget``.

    Returns:
        Whether all are made.
    """
    return ANALYSIS_THREAD.wait_for_all(timeout)


def coverage() -> Coverage:
    """Return totals since `install`: calls, calls without a turn, spans, and anomalies."""
    return REGISTRY.coverage


def _check(provider: object, settings: object, meter_provider: object) -> None:
    """Raise TypeError if an argument of `install` is of the wrong type."""
    if not (provider is None or isinstance(provider, trace.TracerProvider) or hasattr(provider, "add_span_processor")):
        raise TypeError(f"install takes a tracer provider, not {provider!r}")
    if not (settings is None or isinstance(settings, Settings)):
        raise TypeError(f"settings= must be Settings(...), not {settings!r}")
    if not (meter_provider is None or isinstance(meter_provider, metrics.MeterProvider)):
        raise TypeError(f"meter_provider= must be a meter provider, not {meter_provider!r}")


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


def _attach(provider: Any) -> Tracer:
    """
    Add a processor to *provider*, once, if it takes processors; return our tracer of it.

    Some SDKs make another tracer each time.
    """
    for other, known in _attached:
        if other is provider:
            return known
    tracer = tracer_of(provider)
    add = getattr(provider, "add_span_processor", None)
    if add is None:
        return tracer
    processor = ParallelismProcessor()
    add(processor)
    around = getattr(tracer, "span_processor", None)
    processor.forwarding = exclude_own_spans(tracer, processor)
    sample_children(tracer, processor.forwarding)
    if type(around) is not SynchronousMultiSpanProcessor:
        # Hooks may then run in other threads, where the context does not lead to a span's decorated call.
        REGISTRY.by_id = True
    _attached.append((provider, tracer))
    REGISTRY.followers.append(processor)

    def undo() -> None:
        processor.stop()
        if around is not None:
            tracer.span_processor = around  # type: ignore[attr-defined] # an SDK tracer has this attribute
        sample_as_before(tracer)
        _attached[:] = [pair for pair in _attached if pair[0] is not provider]
        REGISTRY.followers.remove(processor)
        remove_processor(provider, processor)
        hold_no_more(provider)

    _undo.append(undo)
    return tracer


def _attach_global() -> None:
    provider = trace.get_tracer_provider()
    if not isinstance(provider, trace.ProxyTracerProvider):
        REGISTRY.use_tracer(_attach(provider))


def _follow_global() -> None:
    """Attach to the global provider when it is set."""

    def attach() -> None:
        with _lock:
            try:
                _attach_global()
            except Exception as error:  # noqa: BLE001 - the program's provider is set all the same
                swallow("attaching to the global provider", error)

    undo = watch_global_provider(attach)
    if undo is not None:
        _undo.append(undo)


def _serve_privately() -> None:
    """Let a private provider serve proxy tracers until the program sets a provider."""
    provider = SdkTracerProvider(shutdown_on_exit=False)
    undo = serve_proxies(provider)
    if undo is not None:
        _attach(provider)
        _undo.append(undo)

"""
The global tracer provider, and the proxies that wait for it.

The API has no event for its being set, and gives proxies no other way to a tracer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import TracerProvider

# ruff: noqa: SLF001 - this folder is where private names are accessed


def watch_global_provider(attach: Callable[[], None]) -> Callable[[], None] | None:
    """
    Call *attach* each time the global tracer provider is set, under whichever name the program imported the setter.

    Returns:
        A function that undoes it, or None where it is in place already.
    """
    original = trace._set_tracer_provider  # every public way of setting the provider calls it
    if getattr(original, "_otel_parallelism", False):
        return None

    def set_and_attach(tracer_provider: trace.TracerProvider, log: bool) -> None:  # noqa: FBT001 - the API's signature
        original(tracer_provider, log)
        attach()

    set_and_attach._otel_parallelism = True  # type: ignore[attr-defined] # marks the function as ours
    trace._set_tracer_provider = set_and_attach

    def undo() -> None:
        if trace._set_tracer_provider is set_and_attach:
            trace._set_tracer_provider = original

    return undo


_PROXY_PROPERTY = "_tracer"
"""The property through which a `ProxyTracer` looks up the real tracer at each use."""


def serve_proxies(provider: TracerProvider) -> Callable[[], None] | None:
    """
    Give proxy tracers the tracers of *provider* as long as no global provider is set.

    Returns:
        A function that undoes it, or None where it is in place already or this API's proxies work differently.
    """
    original: Any = trace.ProxyTracer.__dict__.get(_PROXY_PROPERTY)
    if not isinstance(original, property) or getattr(original.fget, "_otel_parallelism", False):
        return None
    fget: Any = original.fget

    def serve(proxy: Any) -> trace.Tracer:
        tracer: trace.Tracer = fget(proxy)
        if not isinstance(tracer, trace.NoOpTracer) or trace._TRACER_PROVIDER is not None:
            return tracer
        return provider.get_tracer(
            proxy._instrumenting_module_name,
            proxy._instrumenting_library_version,
            proxy._schema_url,
            proxy._attributes,
        )

    serve._otel_parallelism = True  # type: ignore[attr-defined] # marks the function as ours
    setattr(trace.ProxyTracer, _PROXY_PROPERTY, property(serve))

    def undo() -> None:
        setattr(trace.ProxyTracer, _PROXY_PROPERTY, original)

    return undo


def real_meter(meter: Any) -> object:
    """Return the meter that *meter* forwards to, where it is a proxy made before the global provider was set."""
    return getattr(meter, "_real_meter", None) or meter

"""The instrumentor that ``opentelemetry-instrument`` finds by its entry point."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec
from opentelemetry.instrumentation.instrumentor import (  # type: ignore[attr-defined] # that file switches type checking off
    BaseInstrumentor,
)

from otel_parallelism.names import INSTRUMENTATION
from otel_parallelism.settings import Settings
from otel_parallelism.tracing.install import install, uninstall

if TYPE_CHECKING:
    from collections.abc import Collection

_logger = logging.getLogger(INSTRUMENTATION)
_FIELDS = {field.name: field.type for field in msgspec.structs.fields(Settings)}


class ParallelismInstrumentor(BaseInstrumentor):  # type: ignore[misc] # contrib's base class is not typed
    """
    Installs everything, configured from the environment or from the declarative file's options.

    Options are the names of ``Settings``, ``tracer_provider`` and ``meter_provider``; unknown ones are logged.
    """

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return nothing: there is always something to instrument."""
        return ()

    def _instrument(self, **options: Any) -> None:
        given: dict[str, Any] = {}
        for name, value in options.items():
            if name in _FIELDS:
                try:
                    given[name] = msgspec.convert(value, _FIELDS[name], strict=False)
                except msgspec.ValidationError as error:
                    _logger.warning("option %s is ignored: %s", name, error)
            elif name not in ("tracer_provider", "meter_provider"):
                _logger.warning("option %s is unknown and ignored", name)
        install(
            options.get("tracer_provider"),
            settings=Settings.from_environment(**given),
            meter_provider=options.get("meter_provider"),
        )

    def _uninstrument(self, **_: Any) -> None:
        uninstall()

"""The instrumentor, which ``opentelemetry-instrument`` finds by its entry point."""

from __future__ import annotations

import logging
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import msgspec
from opentelemetry.instrumentation.instrumentor import (  # type: ignore[attr-defined] # that file switches type checking off
    BaseInstrumentor,
)

from otel_parallelism.errors import SettingError
from otel_parallelism.names import INSTRUMENTATION
from otel_parallelism.settings import Settings
from otel_parallelism.tracing.install import install, uninstall, usable_settings

from .catalogue import FRAMEWORKS
from .hooks import thread_pools
from .hooks.patching import PATCHING
from .hooks.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Collection

_logger = logging.getLogger(INSTRUMENTATION)
_OTHERS = frozenset({"tracer_provider", "meter_provider", "private", "skip_dep_check", "raise_exception_on_conflict"})
_FIELDS = {field.name: field.type for field in msgspec.structs.fields(Settings)}


class ParallelismInstrumentor(BaseInstrumentor):  # type: ignore[misc] # contrib's base class is not typed
    """
    Calls `install` and patches the agent frameworks that are imported, now or later.

    The options of ``instrument``, and of the declarative configuration file, are the fields of `Settings` and
    ``tracer_provider``, ``meter_provider`` and ``private`` (see `install`; on by default). Other settings come from the
    environment and ``pyproject.toml``. A wrong value or an unknown option is logged and the default is used.

    A second ``instrument`` changes nothing; ``uninstrument`` undoes everything.
    """

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return no requirements: the instrumentation applies to every program."""
        return ()

    def _instrument(self, **options: Any) -> None:
        settings = _settings(options)
        if settings.disabled:
            return
        install(
            options.get("tracer_provider"),
            settings=settings,
            meter_provider=options.get("meter_provider"),
            private=bool(options.get("private", True)),
        )
        PATCHING.start(
            framework
            for framework in FRAMEWORKS
            if not any(fnmatchcase(framework.name, pattern) for pattern in settings.disabled_frameworks)
        )
        PATCHING.add(thread_pools.PATCHES)
        TARGETS.start(settings.targets, sync=settings.sync_targets)

    def _uninstrument(self, **_: Any) -> None:
        TARGETS.stop()
        PATCHING.stop()
        uninstall()


def _settings(options: dict[str, Any]) -> Settings:
    """Return the settings from *options*, the environment and ``pyproject.toml``; wrong ones are logged and ignored."""
    given: dict[str, Any] = {}
    for name, value in options.items():
        if name in _FIELDS:
            try:
                converted = msgspec.convert(value, _FIELDS[name], strict=False)
                Settings(**{name: converted})
                given[name] = converted
            except (msgspec.ValidationError, SettingError) as error:
                _logger.warning("option %s is ignored: %s", name, error)
        elif name not in _OTHERS:
            _logger.warning("option %s is unknown and ignored", name)
    return usable_settings(**given)

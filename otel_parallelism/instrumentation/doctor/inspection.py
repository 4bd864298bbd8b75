"""Inspects this process: its OpenTelemetry providers, the agent frameworks, and the targets that the user named."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import sys
from typing import TYPE_CHECKING, Any

import msgspec
from opentelemetry import metrics, trace
from packaging.specifiers import SpecifierSet

from otel_parallelism.instrumentation.catalogue import FRAMEWORKS
from otel_parallelism.instrumentation.hooks.patching import PATCHING, Patch, Switch
from otel_parallelism.instrumentation.hooks.targets import TARGETS, stale_references
from otel_parallelism.instrumentation.instrumentor import ParallelismInstrumentor
from otel_parallelism.tracing.state.registry import REGISTRY

from .examination import Examination, FrameworkState, OtherInstrumentation
from .pipeline import class_path, exporters_of, sampler_description, span_processors
from .problems import problems

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_parallelism.instrumentation.hooks.patching import Framework, State

    from .examination import Patcher, Presence

_PACKAGES = (
    "otel-parallelism",
    "opentelemetry-api",
    "opentelemetry-sdk",
    "opentelemetry-instrumentation",
    "opentelemetry-distro",
    "wrapt",
)
_DONE: frozenset[State] = frozenset({"patched", "switched on"})
_ABSENT: frozenset[State] = frozenset({"missing", "waiting"})


class Preparation(msgspec.Struct, frozen=True):
    """
    What `prepare` found before it changed the process, and what failed.

    Attributes:
        instrumented: Whether the program had activated the patches.
        patched: Titles of the patches that were in place before the frameworks were imported for the inspection.
        import_errors: For each framework whose import failed, the error's type.
    """

    instrumented: bool
    patched: frozenset[str]
    import_errors: dict[str, str]


def prepare(frameworks: Iterable[Framework] = FRAMEWORKS) -> Preparation:
    """Activate the patches unless the program has, and import what is to be patched of every installed framework."""
    instrumentor = ParallelismInstrumentor()
    instrumented = bool(instrumentor.is_instrumented_by_opentelemetry)
    if not instrumented:
        instrumentor.instrument()
    patched = frozenset(title for title, state in PATCHING.states.items() if state in _DONE)
    errors: dict[str, str] = {}
    for framework in frameworks:
        if version_of(framework.distribution):
            for module in dict.fromkeys(each.module for each in _wanted(framework)):
                try:
                    importlib.import_module(module)
                except ModuleNotFoundError as error:
                    # A module that this version does not have is reported as a missing target.
                    if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                        errors[framework.name] = type(error).__name__
                except BaseException as error:  # noqa: BLE001 - an import may raise anything
                    errors[framework.name] = type(error).__name__
    return Preparation(instrumented, patched, errors)


def examine(prepared: Preparation) -> Examination:
    """Return the state of this process after `prepare`."""
    provider = trace.get_tracer_provider()
    processors = span_processors(provider)
    found = Examination(
        python=platform.python_version(),
        packages={name: version_of(name) for name in _PACKAGES},
        instrumented=PATCHING.active,
        instrumented_by=_patcher(program=prepared.instrumented) if PATCHING.active else "",
        provider=class_path(provider),
        processors=tuple(map(class_path, processors)),
        exporters=tuple(map(class_path, exporters_of(processors))),
        sampler=sampler_description(provider),
        meter_provider=class_path(metrics.get_meter_provider()),
        settings=_changed_settings(),
        frameworks=tuple(
            _framework(each, version, prepared) for each in FRAMEWORKS if (version := version_of(each.distribution))
        ),
        targets={title: PATCHING.states[title] for title in TARGETS.titles if title in PATCHING.states},
        stale=tuple(f"{each.place} is the unwrapped {each.target}" for each in stale_references(TARGETS.wrapped)),
        problems=(),
    )
    return msgspec.structs.replace(found, problems=tuple(problems(found)))


def version_of(distribution: str) -> str:
    """Return the installed version of *distribution*, empty where it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _changed_settings() -> dict[str, Any]:
    given = REGISTRY.settings
    defaults = type(given)()
    return {
        field: getattr(given, field)
        for field in type(given).__struct_fields__
        if getattr(given, field) != getattr(defaults, field)
    }


def _framework(framework: Framework, version: str, prepared: Preparation) -> FrameworkState:
    titles = [each.target if isinstance(each, Patch) else each.title for each in _wanted(framework)]
    targets: dict[str, State] = {title: PATCHING.states[title] for title in titles if title in PATCHING.states}
    patched = {title for title, state in targets.items() if state in _DONE}
    by_program = prepared.instrumented and not patched.isdisjoint(prepared.patched)
    return FrameworkState(
        name=framework.name,
        version=version,
        tested=SpecifierSet(framework.versions).contains(version, prereleases=True),
        presence=_presence(framework, targets, prepared),
        patched_by=_patcher(program=by_program) if patched else "",
        targets=targets,
        native=framework.native,
        others=tuple(
            OtherInstrumentation(name, found, _is_active(name))
            for name in framework.others
            if (found := version_of(name))
        ),
        lacks=framework.lacks,
    )


def _patcher(*, program: bool) -> Patcher:
    return "program" if program else "doctor"


def _wanted(framework: Framework) -> tuple[Patch | Switch, ...]:
    return (*framework.switches, *framework.patches)


def _presence(framework: Framework, targets: dict[str, State], prepared: Preparation) -> Presence:
    if framework.name in prepared.import_errors:
        return "cannot be imported"
    if PATCHING.active and not targets and (framework.patches or framework.switches):
        return "disabled"
    optional = {patch.target for patch in framework.patches if patch.optional}
    wanted = {state for target, state in targets.items() if not (state in _ABSENT and target in optional)}
    if wanted and wanted <= _DONE:
        return "patched"
    if wanted & _DONE:
        return "partly patched"
    return "native" if framework.native and not wanted else "not patched"


def _is_active(distribution: str) -> bool:
    """Whether an instrumentation is active in this process; does not import its class."""
    for entry in importlib.metadata.distribution(distribution).entry_points:
        if entry.group == "opentelemetry_instrumentor":
            module = sys.modules.get(entry.value.partition(":")[0])
            instrumentor = getattr(module, entry.value.partition(":")[2], None)
            instance = getattr(instrumentor, "_instance", None)
            if bool(getattr(instance, "_is_instrumented_by_opentelemetry", False)):
                return True
    return False

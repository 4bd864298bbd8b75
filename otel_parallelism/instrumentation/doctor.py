"""
What is in place in this process and what is not: the provider, the frameworks, the user's own targets.

Says for each thing that will be missing in the numbers how to get it.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import sys
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
from opentelemetry import metrics, trace
from packaging.specifiers import SpecifierSet

from otel_parallelism.tracing.state.recorder import RECORDER

from .catalogue import FRAMEWORKS
from .hooks.patching import PATCHING, Patch, State, Switch
from .hooks.targets import TARGETS, stale
from .shortcomings import shortcomings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .hooks.patching import Framework

Presence: TypeAlias = Literal["patched", "native", "partly patched", "not patched", "disabled", "cannot be imported"]
"""How a framework's calls are seen: through patches of ours, its own spans, some of the patches …"""

_PACKAGES = (
    "otel-parallelism",
    "opentelemetry-api",
    "opentelemetry-sdk",
    "opentelemetry-instrumentation",
    "opentelemetry-distro",
    "wrapt",
)


class Other(msgspec.Struct, frozen=True):
    """Another instrumentation of a framework that is installed; its calls are counted once beside ours."""

    distribution: str
    version: str
    active: bool


class FrameworkState(msgspec.Struct, frozen=True):
    """
    An installed framework.

    ``tested`` says whether its version is one of those that were tested, ``targets`` what became of each function to
    patch, ``native`` what it makes spans for by itself, ``lacks`` what its numbers cannot show.
    """

    name: str
    version: str
    tested: bool
    presence: Presence
    targets: dict[str, State]
    native: tuple[str, ...]
    others: tuple[Other, ...]
    lacks: str


class Examination(msgspec.Struct, frozen=True):
    """
    All that was found; ``problems`` is what will be missing, each with how to get it, in sentences.

    ``settings`` are those that are not the defaults, ``stale`` references to functions that were taken before the
    function was wrapped.
    """

    python: str
    packages: dict[str, str]
    instrumented: bool
    provider: str
    processors: tuple[str, ...]
    exporters: tuple[str, ...]
    sampler: str
    meter_provider: str
    settings: dict[str, Any]
    frameworks: tuple[FrameworkState, ...]
    targets: dict[str, State]
    stale: tuple[str, ...]
    problems: tuple[str, ...]


def load(frameworks: Iterable[Framework] = FRAMEWORKS) -> dict[str, str]:
    """
    Import the modules of every installed framework that are to be patched, so that they are.

    Returns:
        For each framework whose import failed, the error's type.
    """
    failed: dict[str, str] = {}
    for framework in frameworks:
        if version_of(framework.distribution):
            for module in dict.fromkeys(one.module for one in _wanted(framework)):
                try:
                    importlib.import_module(module)
                except ModuleNotFoundError as error:
                    # A module that this version does not have is told as a missing target.
                    if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                        failed[framework.name] = type(error).__name__
                except BaseException as error:  # noqa: BLE001 - whatever a framework does when it is imported
                    failed[framework.name] = type(error).__name__
    return failed


def examine(failed: dict[str, str] | None = None) -> Examination:
    """
    Look at this process as it is.

    Args:
        failed: Frameworks that cannot be imported, as `load` returns them.
    """
    provider = trace.get_tracer_provider()
    processors = tuple(_processors(getattr(provider, "_active_span_processor", None)))
    exporters = tuple(_title(one) for one in map(_exporter, processors) if one is not None)
    frameworks = tuple(
        _framework(one, version, failed or {}) for one in FRAMEWORKS if (version := version_of(one.distribution))
    )
    old = stale(TARGETS.wrapped)
    found = Examination(
        python=platform.python_version(),
        packages={name: version_of(name) for name in _PACKAGES},
        instrumented=PATCHING.active,
        provider=_title(provider),
        processors=tuple(map(_title, processors)),
        exporters=exporters,
        sampler=_sampler(provider),
        meter_provider=_title(metrics.get_meter_provider()),
        settings=_settings(),
        frameworks=frameworks,
        targets={title: PATCHING.states[title] for title in TARGETS.titles if title in PATCHING.states},
        stale=tuple(f"{one.place} is {one.target} from before" for one in old),
        problems=(),
    )
    return msgspec.structs.replace(found, problems=tuple(shortcomings(found, processors, provider)))


def version_of(distribution: str) -> str:
    """Return the installed version of *distribution*, empty where there is none."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _title(thing: object) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"


def _processors(active: Any) -> Iterator[Any]:
    """Yield the processors of a provider, those inside of other processors too."""
    inner = getattr(active, "_span_processors", None)
    if isinstance(inner, tuple | list):
        for one in inner:
            yield from _processors(one)
    elif active is not None:
        yield active


def _exporter(processor: Any) -> Any:
    batch = getattr(processor, "_batch_processor", None)
    for holder, name in ((processor, "span_exporter"), (batch, "_exporter"), (processor, "_exporter")):
        exporter = getattr(holder, name, None)
        if exporter is not None:
            return exporter
    return None


def _sampler(provider: Any) -> str:
    sampler = getattr(provider, "sampler", None)
    return "" if sampler is None else str(sampler.get_description())


def _settings() -> dict[str, Any]:
    given = RECORDER.settings
    defaults = type(given)()
    return {
        field: getattr(given, field)
        for field in type(given).__struct_fields__
        if getattr(given, field) != getattr(defaults, field)
    }


def _framework(framework: Framework, version: str, failed: dict[str, str]) -> FrameworkState:
    titles = [one.target if isinstance(one, Patch) else one.title for one in _wanted(framework)]
    targets: dict[str, State] = {title: PATCHING.states[title] for title in titles if title in PATCHING.states}
    return FrameworkState(
        name=framework.name,
        version=version,
        tested=SpecifierSet(framework.versions).contains(version, prereleases=True),
        presence=_presence(framework, targets, failed),
        targets=targets,
        native=framework.native,
        others=tuple(Other(name, found, _is_active(name)) for name in framework.others if (found := version_of(name))),
        lacks=framework.lacks,
    )


def _wanted(framework: Framework) -> tuple[Patch | Switch, ...]:
    return (*framework.switches, *framework.patches)


def _presence(framework: Framework, targets: dict[str, State], failed: dict[str, str]) -> Presence:
    if framework.name in failed:
        return "cannot be imported"
    if PATCHING.active and not targets and (framework.patches or framework.switches):
        return "disabled"
    optional = {patch.target for patch in framework.patches if patch.optional}
    absent = {"missing", "waiting"}
    wanted = {state for target, state in targets.items() if not (state in absent and target in optional)}
    if wanted and wanted <= {"patched", "switched on"}:
        return "patched"
    if wanted & {"patched", "switched on"}:
        return "partly patched"
    return "native" if framework.native and not wanted else "not patched"


def _is_active(distribution: str) -> bool:
    """Whether an instrumentation has been switched on in this process; its class is not imported for that."""
    for entry in importlib.metadata.distribution(distribution).entry_points:
        if entry.group == "opentelemetry_instrumentor":
            module = sys.modules.get(entry.value.partition(":")[0])
            kind = getattr(module, entry.value.partition(":")[2], None)
            if bool(getattr(getattr(kind, "_instance", None), "_is_instrumented_by_opentelemetry", False)):
                return True
    return False

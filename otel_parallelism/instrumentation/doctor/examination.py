"""The result of an inspection: what is installed and patched in this process, and what its results will lack."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from otel_parallelism.instrumentation.hooks.patching import State

Presence: TypeAlias = Literal["patched", "native", "partly patched", "not patched", "disabled", "cannot be imported"]
"""How the calls of a framework are recorded: by patches, by the framework's own spans, by some of the patches, …"""

Patcher: TypeAlias = Literal["program", "doctor", ""]
"""What put the patches in: the program itself, or the doctor for its inspection; empty where there are none."""


class OtherInstrumentation(msgspec.Struct, frozen=True):
    """Another instrumentation of a framework that is installed beside this one."""

    distribution: str
    version: str
    active: bool


class FrameworkState(msgspec.Struct, frozen=True):
    """
    The state of one installed framework.

    Attributes:
        name: Its import name.
        version: The installed version.
        tested: Whether this version is in the range that was tested.
        presence: How its calls are recorded.
        patched_by: ``program`` if the program imports the framework and patches it.
        targets: The state of each function to patch.
        native: What the framework makes spans for by itself: ``turns``, ``calls``, ``steps``.
        others: Other instrumentations of the same framework.
        lacks: What the results cannot show, in sentences.
    """

    name: str
    version: str
    tested: bool
    presence: Presence
    patched_by: Patcher
    targets: dict[str, State]
    native: tuple[str, ...]
    others: tuple[OtherInstrumentation, ...]
    lacks: str


class Examination(msgspec.Struct, frozen=True):
    """
    Everything that an inspection found.

    Attributes:
        python: The version of Python.
        packages: Installed versions by distribution; empty where one is not installed.
        instrumented: Whether patches are active in this process.
        instrumented_by: What activated them.
        provider: The class of the global tracer provider.
        processors: The classes of its span processors.
        exporters: The classes of its span exporters.
        sampler: The description of its sampler.
        meter_provider: The class of the global meter provider.
        settings: Settings that differ from the defaults.
        frameworks: The installed frameworks.
        targets: The state of each target that the user named.
        stale: References to functions that were taken before the function was wrapped.
        problems: What the results will lack and how to get it, in sentences.
    """

    python: str
    packages: dict[str, str]
    instrumented: bool
    instrumented_by: Patcher
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

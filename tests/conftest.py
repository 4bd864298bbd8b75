from __future__ import annotations

import asyncio
import gc
import logging
import signal
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings as hypothesis_settings
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_parallelism import Report, Settings, install, names, subscribe, uninstall
from otel_parallelism.analysis.analyze import analyze_records
from otel_parallelism.dialects import classify
from otel_parallelism.tracing import shield
from otel_parallelism.tracing.sdk.records import span_record
from otel_parallelism.tracing.state.registry import REGISTRY
from otel_parallelism.tracing.state.turn_end.analysis_thread import ANALYSIS_THREAD, AnalysisThread
from tests.virtual_time import CLOCK, VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.trace import Tracer

    from otel_parallelism.model import Analysis

# How long an example takes depends on the machine more than on the code, so there is no deadline.
hypothesis_settings.register_profile("core", max_examples=3, deadline=None, derandomize=True, database=None)
hypothesis_settings.register_profile("thorough", max_examples=100, deadline=None, derandomize=True, database=None)
# Other examples at each run, to look for defects; a check must not pass on one day and fail on the next.
hypothesis_settings.register_profile("searching", max_examples=300, deadline=None)
hypothesis_settings.load_profile("core")


def pytest_collection_finish(session: pytest.Session) -> None:
    """
    Collect garbage less often in the core, which takes a seventh of its time away; tests of memory collect themselves.

    What collection made is kept out of later searches. Frameworks leave streams to the collector, as programs do.
    """
    if not any("frameworks" in item.path.parts for item in session.items):
        gc.set_threshold(100_000, 50, 50)
        gc.freeze()


# A shell's background jobs ignore SIGINT, and the processes that tests interrupt would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

HERE = Path(__file__).parent
REAL_TIME = ("cli", "frameworks", "dashboards", "e2e", "examples", "docs")
"""Folders whose tests run in real time."""
NAMED_ONLY = ("frameworks", "dashboards", "e2e", "examples", "docs", "house")
"""Folders whose tests need an environment of their own: they are collected only if the command line names them."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the folders in `NAMED_ONLY`, unless an argument is inside of one."""
    if collection_path.parent != HERE or collection_path.name not in NAMED_ONLY:
        return None
    arguments = [(config.invocation_params.dir / argument.split("::")[0]).resolve() for argument in config.args]
    return None if any(path.is_relative_to(collection_path) for path in arguments) else True


def takes_real_time(item: pytest.Item) -> bool:
    """Return whether a test runs in real time: those marked `process`, and those in `REAL_TIME`."""
    folder = item.path.relative_to(HERE).parts[0] if item.path.is_relative_to(HERE) else ""
    return folder in REAL_TIME or item.get_closest_marker("process") is not None


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Any]:
    """Run each async test in a loop on the virtual clock, unless it takes real time."""
    return {"real": asyncio.new_event_loop} if takes_real_time(item) else {"virtual": VirtualLoop}


@pytest.fixture(autouse=True)
def _virtual_time(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run each test on the virtual clock, unless it takes real time."""
    with nullcontext() if takes_real_time(request.node) else CLOCK.running():
        yield


@pytest.fixture(autouse=True)
def _analysed_at_once(_virtual_time: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Analyse every turn where it ends, so that its result is there after it; `late_analyses` undoes this.

    What a test patches is undone before the virtual clock ends: undone later, it would put the virtual clock back.
    """
    monkeypatch.setattr(ANALYSIS_THREAD, "available", False)


@pytest.fixture
def late_analyses(monkeypatch: pytest.MonkeyPatch, _analysed_at_once: None) -> Iterator[AnalysisThread]:
    """Analyse turns that take longer than ``turn_end_budget`` in a thread, and wait for them after the test."""
    monkeypatch.setattr(ANALYSIS_THREAD, "available", True)
    yield ANALYSIS_THREAD
    assert ANALYSIS_THREAD.wait_for_all(60)


RESOURCE = Resource.create()  # it starts threads


class Kit:
    """
    One provider, one meter and everything installed on them, without touching OpenTelemetry's globals.

    What has been exported is read back as any backend would see it; ``exporting`` is the processor that exports it.
    """

    def __init__(
        self, settings: Settings | None = None, exporting: type[Any] = SimpleSpanProcessor, **provider: Any
    ) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False, **{"resource": RESOURCE, **provider})
        self.provider.add_span_processor(exporting(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meter_provider = MeterProvider([self.reader], RESOURCE, shutdown_on_exit=False)
        self.settings = settings if settings is not None else Settings()
        self.reports: list[Report] = []
        install(self.provider, settings=self.settings, meter_provider=self.meter_provider)
        self.forgiven = False
        self._unsubscribe = subscribe(self.reports.append)

    def tracer(self, name: str = "somebody.else") -> Tracer:
        return self.provider.get_tracer(name)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def span(self, name: str) -> ReadableSpan:
        """The one exported span of that name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def calls(self) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name.startswith("execute_tool ")]

    def result(self, name: str) -> dict[str, Any]:
        """What was written of a turn on the one span of that name, keys without their prefix."""
        attributes = self.span(name).attributes or {}
        return {
            key.removeprefix(names.PREFIX): value for key, value in attributes.items() if key.startswith(names.PREFIX)
        }

    def stored(self) -> Analysis:
        """The analysis of what was exported, as of a file that somebody hands in later."""
        return analyze_records([span_record(span, 0) for span in self.spans], classify, self.settings)

    def points(self, name: str) -> list[Any]:
        data = self.reader.get_metrics_data()
        if data is None:
            return []
        return [
            point
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def everything(self) -> str:
        """All text that left the process, in spans and in metrics."""
        data = self.reader.get_metrics_data()
        return "".join(span.to_json() for span in self.spans) + (data.to_json() if data is not None else "")

    def forgive(self) -> None:
        """Let what this test broke on purpose be in the log."""
        self.forgiven = True

    def close(self) -> None:
        self._unsubscribe()
        uninstall()
        self.provider.shutdown()
        self.meter_provider.shutdown()


@pytest.fixture
def make_kit(caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    """Make a kit with settings and a provider of one's own; at the end nothing may be left open, wrong or logged."""
    uninstall()  # calls of tests without a kit are in the totals
    shield._counts.clear()
    caplog.set_level(logging.DEBUG)
    kits: list[Kit] = []

    def make(settings: Settings | None = None, **options: Any) -> Kit:
        kits.append(Kit(settings, **options))
        return kits[-1]

    yield make
    left = dict(REGISTRY.spans), dict(REGISTRY.turns), dict(REGISTRY.candidates)
    for kit in kits:
        kit.close()
    assert left == ({}, {}, {})
    assert shield.internal_errors() == {}
    ours = ("opentelemetry", "otel_parallelism")
    noise = [entry for entry in caplog.records if entry.levelno >= logging.WARNING and entry.name.startswith(ours)]
    assert any(kit.forgiven for kit in kits) or not [entry.getMessage() for entry in noise]


@pytest.fixture
def kit(make_kit: Any) -> Kit:
    """Everything installed, plainly."""
    made: Kit = make_kit()
    return made

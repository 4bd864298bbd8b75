"""
Runs one framework's agent through the scenarios in this process, and collects the results of each.

A contract module (``contract/NAME.py``) defines ``BEHAVIOUR``, ``Agent`` and ``BESIDE``: the known behaviour of the
framework, an agent as a user writes it, and functions that activate other instrumentations.
"""

from __future__ import annotations

import asyncio
import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from frameworks import provider, scenarios
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_parallelism import Report, coverage, subscribe, wait_for_reports
from otel_parallelism.tracing.state.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from opentelemetry.sdk.trace import ReadableSpan

SETTLES = 5.0
"""Seconds within which the background tasks of a framework must end."""


@dataclass
class Run:
    """
    One run of a scenario.

    Attributes:
        answer: The agent's answer.
        error: The exception that ended the run.
        bodies: The executions of the tools.
        conversations: The conversations that the model received.
        reports: The reports of the turns that ended.
        lost: The number of calls outside any turn.
        spans: The exported spans.
        prefix: What the framework puts in front of the tools' names.
    """

    answer: str | None
    error: BaseException | None
    bodies: list[scenarios.Body]
    conversations: list[str]
    reports: list[Report] = field(default_factory=list)
    lost: int = 0
    spans: tuple[ReadableSpan, ...] = ()
    prefix: str = ""

    @property
    def report(self) -> Report:
        """Return the report of the only turn."""
        assert len(self.reports) == 1, [(report.turn.name, report.calls) for report in self.reports]
        assert self.lost == 0
        return self.reports[0]

    @property
    def calls(self) -> list[Any]:
        """Return the turn's own calls in order of start."""
        own = [call for call in self.report.turn.calls if not call.scope]
        return [msgspec.structs.replace(call, tool=call.tool.removeprefix(self.prefix)) for call in own]


class Stage:
    """One framework in this process, with a global tracer provider."""

    def __init__(self, name: str) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        trace.set_tracer_provider(self.provider)
        self.url = provider.start()
        self.contract = importlib.import_module(f"frameworks.contract.{name}")
        self.behaviour = self.contract.BEHAVIOUR
        self.agent = self.contract.Agent(self.url)

    def run(
        self,
        prompt: str,
        kind: str,
        *,
        stream: bool = False,
        cancelled_after: float | None = None,
        instant: bool = False,
    ) -> Run:
        """
        Run the agent once.

        Args:
            prompt: One of the scenarios.
            kind: ``asynchronous`` or ``blocking`` tools.
            stream: Whether the answer is streamed.
            cancelled_after: Seconds after the first tool began at which the run is cancelled.
            instant: Whether the tools return at once.
        """
        toolbox = scenarios.Toolbox(instant=instant)
        tools: list[Callable[..., Any]] = getattr(toolbox, kind)()
        reports: list[Report] = []
        lost = coverage().calls_without_turn
        self.exporter.clear()
        scenarios.HEARD.clear()
        wait_for_reports()  # of the run before
        unsubscribe = subscribe(reports.append)
        try:
            running = self.agent.run(prompt, tools, stream=stream)
            answer, error = asyncio.run(self._outcome(running, toolbox.ran, cancelled_after=cancelled_after))
        finally:
            wait_for_reports()
            unsubscribe()
        assert not REGISTRY.turns, "a turn is still open"
        return Run(
            answer,
            error,
            toolbox.ran,
            list(scenarios.HEARD),
            reports,
            coverage().calls_without_turn - lost,
            self.exporter.get_finished_spans(),
            self.behaviour.prefix,
        )

    async def _outcome(
        self, running: Coroutine[Any, Any, str], ran: list[scenarios.Body], *, cancelled_after: float | None
    ) -> tuple[str | None, BaseException | None]:
        task = asyncio.ensure_future(running)
        try:
            if cancelled_after is not None:
                while not ran and not task.done():  # noqa: ASYNC110 - blocking tools set no event of the loop
                    await asyncio.sleep(0.005)
                await asyncio.sleep(cancelled_after)
                task.cancel()
            return await task, None
        except asyncio.CancelledError as error:
            if cancelled_after is None:
                raise
            return None, error
        except Exception as error:  # noqa: BLE001 - it is what the run came to
            return None, error
        finally:
            # Tasks of a cancelled run may still be ending.
            others = asyncio.all_tasks() - {asyncio.current_task()}
            if others and cancelled_after is not None:
                await asyncio.wait(others, timeout=SETTLES)

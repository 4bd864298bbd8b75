"""
Runs one framework in two situations that its contract does not cover, and prints the measurements as JSON.

Usage: ``python -m frameworks.circumstances FRAMEWORK alone|together``, in the directory ``tests``. *alone*: the
framework's own spans are dropped, so only ours remain. *together*: two agents run concurrently; the model of one
requests all calls in one response, the model of the other one call at a time.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from typing import TYPE_CHECKING, Any

from frameworks.beside import measured
from frameworks.harness import Stage
from frameworks.scenarios import BURST, ROUNDS, Toolbox
from opentelemetry import trace

from otel_parallelism import coverage, subscribe
from otel_parallelism.instrumentation.instrumentor import ParallelismInstrumentor

if TYPE_CHECKING:
    from otel_parallelism import Report

KINDS = ("asynchronous", "blocking")


def alone(name: str) -> None:
    """Run with a no-op global provider; our spans use another provider."""
    trace.set_tracer_provider(trace.NoOpTracerProvider())
    stage = Stage(name)
    ParallelismInstrumentor().instrument(tracer_provider=stage.provider)
    for kind in KINDS:
        if getattr(stage.behaviour, kind) is not None:
            # The first run imports and compiles, which would distort the measurements.
            stage.run(BURST, kind)
            # A collection of all that is imported by then takes 0.1 s, which would count to each of three calls.
            gc.collect()
            gc.freeze()
            for title, prompt in (("burst", BURST), ("rounds", ROUNDS)):
                print(json.dumps({"kind": kind, "scenario": title, **measured(stage.run(prompt, kind))}))


def together(name: str) -> None:
    """Run two agents in one event loop, each with its own tools."""
    stage = Stage(name)
    ParallelismInstrumentor().instrument()
    for kind in KINDS:
        if getattr(stage.behaviour, kind) is not None:
            reports: list[Report] = []
            unsubscribe = subscribe(reports.append)
            answers = asyncio.run(_both(stage, kind))
            unsubscribe()
            told: dict[str, Any] = {"kind": kind, "answers": answers, "lost": coverage().calls_without_turn}
            told["ids"] = sorted(sorted(call.call_id for call in report.turn.calls) for report in reports)
            told["steps"] = sorted(report.steps for report in reports)
            print(json.dumps(told))


async def _both(stage: Stage, kind: str) -> list[str]:
    runs = [stage.agent.run(prompt, getattr(Toolbox(), kind)()) for prompt in (BURST, ROUNDS)]
    return list(await asyncio.gather(*runs))


if __name__ == "__main__":
    {"alone": alone, "together": together}[sys.argv[2]](sys.argv[1])

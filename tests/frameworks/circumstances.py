"""
Runs one framework under circumstances that its contract does not have, and prints what was measured as JSON.

Usage: ``python -m frameworks.circumstances FRAMEWORK alone|together``, in the directory ``tests``. *alone*: whatever
spans the framework makes by itself go nowhere, so that all there is to see is ours. *together*: two agents run at the
same time, one of which asks for all calls in one response, the other for one at a time.
"""

from __future__ import annotations

import asyncio
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
    """Run with a global provider that makes no spans, ours being another."""
    trace.set_tracer_provider(trace.NoOpTracerProvider())
    stage = Stage(name)
    ParallelismInstrumentor().instrument(tracer_provider=stage.provider)
    for kind in KINDS:
        if getattr(stage.behaviour, kind) is not None:
            # What a framework imports or compiles at its first call is no matter here.
            stage.run(BURST, kind)
            for title, prompt in (("burst", BURST), ("rounds", ROUNDS)):
                print(json.dumps({"kind": kind, "scenario": title, **measured(stage.run(prompt, kind))}))


def together(name: str) -> None:
    """Run two agents in one loop, each with tools of its own."""
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

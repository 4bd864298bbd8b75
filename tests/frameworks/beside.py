"""
Runs one framework with another instrumentation beside ours, and prints the measurements as JSON.

Usage: ``python -m frameworks.beside FRAMEWORK OTHER before|after``, in the directory ``tests``; *before* means that the
other one is installed first. Both are installed before the framework is imported, if the other supports that.
"""

from __future__ import annotations

import gc
import json
import sys
from typing import Any

from frameworks.harness import Run, Stage
from frameworks.scenarios import BURST, ROUNDS

from otel_parallelism.analysis.analyze import analyze_records
from otel_parallelism.dialects import classify
from otel_parallelism.instrumentation.instrumentor import ParallelismInstrumentor
from otel_parallelism.settings import Settings
from otel_parallelism.tracing.sdk.records import span_record


def main(name: str, other: str, order: str) -> None:
    """Print a line for each run."""
    if order == "after":
        ParallelismInstrumentor().instrument()
    stage = Stage(name)
    stage.contract.BESIDE[other](stage.provider)
    if order == "before":
        ParallelismInstrumentor().instrument()
    for kind in ("asynchronous", "blocking"):
        if getattr(stage.behaviour, kind) is not None:
            # The first run imports and compiles, which would distort the measurements.
            stage.run(BURST, kind)
            # A collection of all that is imported by then takes 0.1 s, which would count to each of three calls.
            gc.collect()
            gc.freeze()
            for title, prompt in (("burst", BURST), ("rounds", ROUNDS)):
                print(json.dumps({"kind": kind, "scenario": title, **measured(stage.run(prompt, kind))}))


def measured(run: Run) -> dict[str, Any]:
    """Return the measurements of a run, those of its exported spans, and the number of spans of other libraries."""
    found: dict[str, Any] = {"answer": run.answer, "turns": len(run.reports), "lost": run.lost}
    for report in run.reports[:1]:
        found |= {
            "calls": report.calls,
            "inner": len(report.turn.calls) - report.calls,
            "steps": report.steps,
            "peak": report.peak_concurrency,
            "ratio": report.ratio,
            "work": report.work,
            "verdict": report.verdict,
            "causes": sorted({finding.cause for finding in report.findings}),
            "bodies": sum(body.end_ns - body.start_ns for body in run.bodies) / 1e9,
        }
    stored = analyze_records([span_record(span, 0) for span in run.spans], classify, Settings())
    found["stored"] = [[report.calls, report.steps, report.peak_concurrency] for report in stored.reports]
    found["foreign"] = sum(
        span.instrumentation_scope is not None and span.instrumentation_scope.name != "otel_parallelism"
        for span in run.spans
    )
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])

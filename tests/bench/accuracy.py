"""
Measures how often verdicts on pairs of calls are right, over recorded episodes with known dependences.

    python tests/bench/accuracy.py FILE… [--pairs OUT]

An episode is one JSON object a line: ``{"id", "prompt", "user_messages"?, "calls": [{"id", "segment"?, "name",
"args", "result", "depends_on"?, "uncertain"?, "commutes_with_next"?}]}``. The bench treats its calls as run one after
another, one per model response, and compares them within one segment (one request of the user).

``commutes_with_next`` comes from running two calls in both orders with their recorded arguments. It cannot show that an
argument of the second call was taken from the first result; such calls could not have run together. So the recall of
recommended reads is printed twice: over all pairs that commute, and over the pairs that pass no value. A pair passes a
value if a value of the first result is an argument of the second call, and appears neither in the user's messages nor
in the first call's arguments.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otel_parallelism.analysis.dependencies.dependency_graph import Dependencies, Pair
from otel_parallelism.analysis.dependencies.effects.tool_verbs import assumed_effect
from otel_parallelism.analysis.turns.normalization import is_bookkeeping
from otel_parallelism.model import Call, Content
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADVICE = {"hard": "intended", "unknown": "potential", "none": "recommended"}
_SECOND_NS = 1_000_000_000
_REASONS = {
    "not seen in full": "content not seen in full",
    "stands nowhere before": "without origin",
    "may come from": "after a clock",
    "is called may depend": "a guard",
    "may have chosen": "chosen by the result",
    "may be chance": "a match that may be chance",
    "in what was asked": "also in the prompt",
    "came right after": "after a failure or nothing",
}


def calls_of(episode: dict[str, Any], segment: int) -> list[tuple[dict[str, Any], Call]]:
    """Return the calls of one segment, one after another, with their full contents."""
    found: list[tuple[dict[str, Any], Call]] = []
    for record in episode["calls"]:
        if record.get("segment", 0) != segment:
            continue
        at_ns = (len(found) + 1) * 2 * _SECOND_NS
        call = Call(
            trace_id=episode["id"],
            span_id=record["id"],
            parent_id="turn",
            tool=record["name"],
            start_ns=at_ns,
            end_ns=at_ns + _SECOND_NS,
            round=len(found),
            arguments=Content(record["args"]),
            result=None if record["result"] is None else Content(record["result"]),
            error=isinstance(record["result"], dict) and "error" in record["result"],
        )
        found.append((record, call))
    return found


def pairs_of(episode: dict[str, Any], settings: Settings) -> Iterator[tuple[dict[str, Any], dict[str, Any], Pair, str]]:
    """
    Yield the records of each two calls of one segment, their relation, and the advice; without bookkeeping tools.

    The relation concerns the two calls alone. The advice is that of a finding, which includes dependence through other
    calls.
    """
    for segment in sorted({record.get("segment", 0) for record in episode["calls"]}):
        said = episode.get("user_messages") or [episode["prompt"]]
        messages = [Content(message) for message in said[: segment + 1]]
        found = [pair for pair in calls_of(episode, segment) if not is_bookkeeping(pair[1].tool, settings.bookkeeping)]
        graph = Dependencies([call for _, call in found], messages, settings)
        for later in range(len(found)):
            for earlier in range(later):
                pair = graph.pair(earlier, later)
                edge = pair.edge
                if graph.after_hard[later] >> earlier & 1:
                    edge = "hard"
                elif graph.after_any[later] >> earlier & 1:
                    edge = "unknown"
                yield found[earlier][0], found[later][0], pair, _ADVICE[edge]


def main() -> int:
    """Print the figures of each file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--pairs", type=Path, help="write one JSON line a pair here")
    options = parser.parse_args()
    settings = Settings()
    out = options.pairs.open("w", encoding="utf-8") if options.pairs else None
    for path in options.files:
        counts: Counter[str] = Counter()
        for line in path.read_text(encoding="utf-8").splitlines():
            episode = json.loads(line)
            order = [record["id"] for record in episode["calls"]]
            for a, b, pair, advice in pairs_of(episode, settings):
                counts["pairs"] += 1
                counts[pair.verdict] += 1
                if pair.verdict == "unknown":
                    reason = next((name for part, name in _REASONS.items() if part in pair.evidence), "other")
                    counts[f"unknown: {reason}"] += 1
                counts[advice] += 1
                if b.get("depends_on") is not None and a["id"] not in b.get("uncertain", ()):
                    _count_edge(counts, truth=a["id"] in b["depends_on"], verdict=pair.verdict)
                adjacent = order.index(b["id"]) == order.index(a["id"]) + 1
                if adjacent and a.get("commutes_with_next") is not None:
                    said = " ".join((episode.get("user_messages") or [episode["prompt"]])[: a.get("segment", 0) + 1])
                    _count_swap(counts, a, b, advice, said)
                if out is not None:
                    record = {
                        "file": path.name,
                        "id": episode["id"],
                        "a": a["id"],
                        "b": b["id"],
                        "verdict": pair.verdict,
                        "advice": advice,
                        "evidence": pair.evidence,
                    }
                    out.write(json.dumps(record) + "\n")
        _show(path.name, counts)
    if out is not None:
        out.close()
    return 0


def _count_edge(counts: Counter[str], *, truth: bool, verdict: str) -> None:
    found = verdict == "dependent"
    counts["edges"] += truth
    counts["edges found"] += found
    counts["edges right"] += truth and found
    counts["independent labelled"] += verdict == "independent"
    counts["independent wrong"] += truth and verdict == "independent"


def _count_swap(counts: Counter[str], a: dict[str, Any], b: dict[str, Any], advice: str, said: str) -> None:
    commutes = a["commutes_with_next"]
    reads = assumed_effect(a["name"]) == assumed_effect(b["name"]) == "read"
    counts["swaps"] += 1
    counts["swaps recommended"] += advice == "recommended"
    counts["swaps recommended right"] += advice == "recommended" and commutes
    counts["reads commuting"] += reads and commutes
    counts["reads commuting recommended"] += reads and commutes and advice == "recommended"
    handed_on = {value for value in _scalars(a["result"]) & _scalars(b["args"]) if value not in said}
    apart = reads and commutes and not handed_on - _scalars(a["args"])
    counts["reads apart"] += apart
    counts["reads apart recommended"] += apart and advice == "recommended"


def _scalars(value: Any) -> set[str]:
    """Return the plain values of JSON data as text, without keys."""
    if isinstance(value, dict):
        return set().union(*map(_scalars, value.values()))
    if isinstance(value, list):
        return set().union(*map(_scalars, value))
    return set() if value is None else {str(value)}


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f} ({part} of {whole})" if whole else "none"


def _show(name: str, counts: Counter[str]) -> None:
    print(f"{name}: {counts['pairs']} pairs, unknown {_share(counts['unknown'], counts['pairs'])}")
    for reason in sorted(name for name in counts if name.startswith("unknown: ")):
        print(f"  {reason}: {_share(counts[reason], counts['pairs'])}")
    print(
        f"  advice: recommended {counts['recommended']}, potential {counts['potential']}, intended {counts['intended']}"
    )
    if counts["edges"] or counts["independent labelled"]:
        print(f"  edges: precision {_share(counts['edges right'], counts['edges found'])}")
        print(f"         recall    {_share(counts['edges right'], counts['edges'])}")
        print(f"         of independent, wrong {_share(counts['independent wrong'], counts['independent labelled'])}")
    if counts["swaps"]:
        right, reads = counts["swaps recommended right"], counts["reads commuting recommended"]
        print(f"  recommended pairs that commute: {_share(right, counts['swaps recommended'])}")
        print(f"  commuting reads recommended:    {_share(reads, counts['reads commuting'])}")
        print(f"  … where no value is handed on:  {_share(counts['reads apart recommended'], counts['reads apart'])}")
        print("    (a swap test hands both calls what they had; a value out of the first's answer could not be known)")


if __name__ == "__main__":
    sys.exit(main())

"""
Measures how often verdicts on pairs of calls are right, over recorded episodes with known dependences.

    python tests/bench/accuracy.py FILE… [--pairs OUT] [--without-messages]

An episode is one JSON object a line: ``{"id", "prompt", "user_messages"?, "calls": [{"id", "segment"?, "name",
"args", "result", "depends_on"?, "uncertain"?, "commutes_with_next"?}]}``. The bench treats its calls as run one after
another, one per model response, and compares them within one segment (one request of the user).

``commutes_with_next`` comes from running two calls in both orders with their recorded arguments. It cannot show that an
argument of the second call was taken from the first result; such calls could not have run together. So the recall of
recommended reads is printed twice: over all pairs that commute, and over the pairs that pass no value. A pair passes a
value if a value of the first result is an argument of the second call, and appears neither in the user's messages nor
in the first call's arguments. A third recall is that over the pairs whose independence is explained or between rounds.
Few pairs were swapped. Where dependences are labelled, a fourth recall is the share judged independent of the pairs of
reads that have no labelled dependence and pass no value.

Last comes a table of precision against the share of labelled pairs that is decided. Each row decides by one more rule,
the safest first. The last row takes each pair without a verdict for independent.

``--without-messages`` leaves out what the user said, as where the messages of model requests are not recorded.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from otel_parallelism.analysis.dependencies.dependency_graph import Dependencies
from otel_parallelism.analysis.dependencies.effects.tool_verbs import assumed_effect
from otel_parallelism.analysis.turns.tree import is_bookkeeping
from otel_parallelism.model import Call, Content
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.analysis.dependencies.particular_edges import Pair

_ADVICE = {"hard": "intended", "unknown": "potential", "none": "recommended"}
_SECOND_NS = 1_000_000_000
_RULES = {
    "dependent": "dependent",
    "explained": "+ independent, explained",
    "between rounds": "+ independent, between rounds",
    "unknown": "+ unknown taken for independent",
}
"""The rules that decide a pair, the safest first, and their names in the table."""

_REASONS = {
    "not seen in full": "content not seen in full",
    "appears nowhere before": "without origin",
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


class Judged(NamedTuple):
    """
    Two calls of one segment: their records, their relation, the advice, and the rule that decides.

    The relation concerns the two calls alone. The advice is that of a finding, which includes dependence through other
    calls.
    """

    earlier: dict[str, Any]
    later: dict[str, Any]
    pair: Pair
    advice: str
    rule: str


def pairs_of(episode: dict[str, Any], settings: Settings, *, heard: bool) -> Iterator[Judged]:
    """Yield each two calls of one segment, without bookkeeping tools; *heard* is whether the messages are known."""
    for segment in sorted({record.get("segment", 0) for record in episode["calls"]}):
        said = (episode.get("user_messages") or [episode["prompt"]]) if heard else []
        messages = [Content(message) for message in said[: segment + 1]]
        found = [pair for pair in calls_of(episode, segment) if not is_bookkeeping(pair[1].tool, settings.bookkeeping)]
        calls = [call for _, call in found]
        graph = Dependencies(calls, messages, settings)
        without_rounds = Dependencies([msgspec.structs.replace(call, round=None) for call in calls], messages, settings)
        for later in range(len(found)):
            for earlier in range(later):
                pair = graph.pair(earlier, later)
                edge = pair.edge
                if graph.after_hard[later] >> earlier & 1:
                    edge = "hard"
                elif graph.after_any[later] >> earlier & 1:
                    edge = "unknown"
                rule: str = pair.verdict
                if rule == "independent":
                    explained = without_rounds.pair(earlier, later).verdict == "independent"
                    rule = "explained" if explained else "between rounds"
                yield Judged(found[earlier][0], found[later][0], pair, _ADVICE[edge], rule)


def main() -> int:
    """Print the figures of each file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--pairs", type=Path, help="write one JSON line a pair here")
    parser.add_argument("--without-messages", action="store_true", help="leave out what the user said")
    options = parser.parse_args()
    settings = Settings()
    by_file: dict[str, Counter[str]] = {}
    out = options.pairs.open("w", encoding="utf-8") if options.pairs else None
    for path in options.files:
        counts: Counter[str] = Counter()
        for line in path.read_text(encoding="utf-8").splitlines():
            episode = json.loads(line)
            order = [record["id"] for record in episode["calls"]]
            for judged in pairs_of(episode, settings, heard=not options.without_messages):
                a, b, pair, advice, _ = judged
                counts["pairs"] += 1
                counts[pair.verdict] += 1
                if pair.verdict == "unknown":
                    reason = next((name for part, name in _REASONS.items() if part in pair.evidence), "other")
                    counts[f"unknown: {reason}"] += 1
                counts[advice] += 1
                if b.get("depends_on") is not None and a["id"] not in b.get("uncertain", ()):
                    _count_edge(counts, truth=a["id"] in b["depends_on"], judged=judged, said=_said(episode, a))
                adjacent = order.index(b["id"]) == order.index(a["id"]) + 1
                if adjacent and a.get("commutes_with_next") is not None:
                    said = _said(episode, a)
                    _count_swap(counts, judged, said)
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
        by_file[path.stem] = counts
        _show(path.name, counts)
    _show_curve({**by_file, "all": sum(by_file.values(), Counter())})
    if out is not None:
        out.close()
    return 0


def _said(episode: dict[str, Any], call: dict[str, Any]) -> str:
    """Return what the user had said when *call* was made."""
    return " ".join((episode.get("user_messages") or [episode["prompt"]])[: call.get("segment", 0) + 1])


def _handed_on(judged: Judged, said: str) -> set[str]:
    """Return the values that the second call can only have from the first result."""
    a, b = judged.earlier, judged.later
    return {value for value in _scalars(a["result"]) & _scalars(b["args"]) if value not in said} - _scalars(a["args"])


def _both_read(judged: Judged) -> bool:
    return assumed_effect(judged.earlier["name"]) == assumed_effect(judged.later["name"]) == "read"


def _count_edge(counts: Counter[str], *, truth: bool, judged: Judged, said: str) -> None:
    verdict = judged.pair.verdict
    found = verdict == "dependent"
    counts["labelled"] += 1
    counts[f"decided: {judged.rule}"] += 1
    counts[f"right: {judged.rule}"] += truth == found
    counts["edges"] += truth
    counts["edges found"] += found
    counts["edges right"] += truth and found
    counts["independent labelled"] += verdict == "independent"
    counts["independent wrong"] += truth and verdict == "independent"
    free = not truth and _both_read(judged) and not _handed_on(judged, said)
    counts["reads free"] += free
    counts["reads free found"] += free and verdict == "independent"


def _count_swap(counts: Counter[str], judged: Judged, said: str) -> None:
    advice, rule = judged.advice, judged.rule
    commutes = judged.earlier["commutes_with_next"]
    reads = _both_read(judged)
    counts["swaps"] += 1
    counts["swaps recommended"] += advice == "recommended"
    counts["swaps recommended right"] += advice == "recommended" and commutes
    counts["reads commuting"] += reads and commutes
    counts["reads commuting recommended"] += reads and commutes and advice == "recommended"
    shown = reads and commutes and rule in {"explained", "between rounds"}
    counts["reads shown"] += shown
    counts["reads shown recommended"] += shown and advice == "recommended"
    apart = reads and commutes and not _handed_on(judged, said)
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
        print(f"  reads that pass nothing, independent: {_share(counts['reads free found'], counts['reads free'])}")
    if counts["swaps"]:
        right, reads = counts["swaps recommended right"], counts["reads commuting recommended"]
        print(f"  recommended pairs that commute: {_share(right, counts['swaps recommended'])}")
        print(f"  commuting reads recommended:    {_share(reads, counts['reads commuting'])}")
        print(f"  … where no value is handed on:  {_share(counts['reads apart recommended'], counts['reads apart'])}")
        print(f"  … explained or between rounds:  {_share(counts['reads shown recommended'], counts['reads shown'])}")
        print("    (a swap test hands both calls what they had; a value out of the first's answer could not be known)")


def _show_curve(by_file: dict[str, Counter[str]]) -> None:
    """Print precision against the share decided, as a table in Markdown; files without labelled pairs are left out."""
    print("\n| episodes | decided by | share decided | precision |\n| --- | --- | --- | --- |")
    for name, counts in by_file.items():
        decided = right = 0
        for rule, title in _RULES.items():
            decided += counts[f"decided: {rule}"]
            right += counts[f"right: {rule}"]
            if counts["labelled"]:
                print(f"| {name} | {title} | {_share(decided, counts['labelled'])} | {_share(right, decided)} |")


if __name__ == "__main__":
    sys.exit(main())

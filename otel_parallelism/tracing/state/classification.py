"""Classifies the span of a node: once while it is open, and once at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from otel_parallelism.analysis.turns.tree import as_passage
from otel_parallelism.model import Observation, TurnSpan
from otel_parallelism.tracing.sdk.compatibility.span_fields import fingerprint
from otel_parallelism.tracing.sdk.records import observe

if TYPE_CHECKING:
    from .nodes import SpanNode


def classify_node(node: SpanNode, end_ns: int) -> Observation:
    """
    Return what the span of *node* is, with all its data; *end_ns* is its end time if it is still open.

    A span that repeats our own is never a turn.
    """
    found = observe(node.span, end_ns, node.last)
    node.last = None if node.span.end_time else found
    observation = found.observation
    started_ns, ended_ns = node.span.start_time or 0, node.span.end_time or 0
    if started_ns > 0 and (started_ns != node.start_ns or (node.end_ns and ended_ns and ended_ns != node.end_ns)):
        # The time of day has stepped since the process began.
        moved_ns = started_ns - node.start_ns
        stop_ns = (node.end_ns or ended_ns - moved_ns) if ended_ns else end_ns
        observation = replace(observation, start_ns=node.start_ns, end_ns=stop_ns)
    return as_passage(observation) if node.duplicate and isinstance(observation, TurnSpan) else observation


def final_observation(node: SpanNode, end_ns: int) -> Observation:
    """Return what the span of *node*, which ends at *end_ns*, is; classified at the first call only."""
    if node.observation is None:
        node.observation = classify_node(node, end_ns)
        node.classified = None
    return node.observation


def classify_open_node(node: SpanNode) -> Observation:
    """
    Return what the span of *node*, probably still open, is so far: its kind, names and ids.

    The result is kept until the span's name or the number of its attributes changes. Values that replace others, and
    the end time, may be out of date: use `classify_node` for them.
    """
    if node.observation is not None:
        return node.observation
    state = fingerprint(node.span)
    if node.classified is None or node.classified_state != state:
        node.classified = classify_node(node, node.start_ns)
        node.classified_state = state
    return node.classified

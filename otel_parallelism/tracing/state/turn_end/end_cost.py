"""
Estimates how long the analysis of a turn takes, from what is below it, without reading any content.

The estimate depends on counts and sizes, and on whether source must be read first, so that the same turn is analysed
in the same place each time but the first. The figures were measured with CPython 3.11; see ``tests/bench/overhead.py``.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from otel_parallelism.model import Step
from otel_parallelism.tracing.sdk.compatibility.span_fields import raw_attributes
from otel_parallelism.tracing.state.bounds.held_evidence import evidence_size
from otel_parallelism.tracing.state.nodes import MISSING, CallNode, Node, SpanNode, StepNode

from .source_files import is_first_call, is_read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.settings import Settings

_children = attrgetter("children")

_FIXED_NS = 100_000
_OF_A_CALL_NS = 5_000
# A span of another instrumentation is classified then.
_OF_A_SPAN_NS = 7_000
_OF_ANOTHER_NODE_NS = 20_000
# Where the contents of calls are compared.
_COMPARING_NS = 600_000
_COMPARING_A_CALL_NS = 130_000
_OF_A_CHARACTER_NS = 200
_OF_AN_UNREAD_FILE_NS = 20_000_000


def end_cost_ns(top: Node, end_ns: int, settings: Settings, most_ns: float) -> float:
    """
    Return about how many nanoseconds the analysis of *top*, a turn or local root that ends, takes.

    Where it takes more than *most_ns*, the estimate stops there, so that it takes a small part of that time itself.
    """
    least_ns = settings.min_avoidable * 1e9
    if end_ns - top.start_ns < least_ns:
        return _cost_without_contents_ns(top, most_ns)
    return _cost_ns(top, end_ns, least_ns, most_ns)


def _cost_ns(top: Node, end_ns: int, least_ns: float, most_ns: float) -> float:
    """Return what the analysis of *top* costs; contents are read if *least_ns* or more may be saved."""
    cost_ns: float = _FIXED_NS
    below: list[Node] = []
    first_ns = last_ns = longest_ns = 0
    around: list[Node] = [top]
    while around:
        children = around.pop().children or ()
        if cost_ns + len(children) * _OF_A_CALL_NS > most_ns:
            return cost_ns + len(children) * _OF_A_CALL_NS
        # A list that other threads append to can be copied at once.
        for node in tuple(children):
            cost_ns += _OF_A_CALL_NS if type(node) is CallNode else _OF_ANOTHER_NODE_NS
            if cost_ns > most_ns:
                return cost_ns
            below.append(node)
            if node.children:
                around.append(node)
            if isinstance(node, StepNode) or (isinstance(node, SpanNode) and type(node.observation) is Step):
                continue
            until_ns = node.end_ns or end_ns
            first_ns = min(first_ns or node.start_ns, node.start_ns)
            last_ns = max(last_ns, until_ns)
            longest_ns = max(longest_ns, until_ns - node.start_ns)
    nested = any(node.children for node in below)
    if last_ns - first_ns < least_ns or (not nested and last_ns - first_ns - longest_ns < least_ns):
        # Too little can be saved for any content to be read.
        return cost_ns
    cost_ns += _COMPARING_NS
    for node in below:
        if cost_ns > most_ns:
            break
        cost_ns += _content_cost_ns(node)
    return cost_ns


def _cost_without_contents_ns(top: Node, most_ns: float) -> float:
    """Return what the analysis of *top* costs, where so little can be saved that no content is read."""
    cost_ns: float = _FIXED_NS
    level: Sequence[Node] = top.children or ()
    while level and cost_ns <= most_ns:
        # Types are counted in C.
        cost_ns += len(level) * _OF_A_CALL_NS + list(map(type, level)).count(SpanNode) * _OF_A_SPAN_NS
        # Nearly all calls have nothing inside, which this finds in C.
        level = [node for inside in filter(None, map(_children, level)) for node in inside]
    return cost_ns


def _content_cost_ns(node: Node) -> float:
    """Return what it costs to compare the contents of *node*, a call or another span."""
    if isinstance(node, CallNode):
        cost_ns = _COMPARING_A_CALL_NS
        if node.code is not None:
            file = node.code.co_filename
            if is_first_call(file, node.tool.name) or not is_read(file):
                cost_ns += _OF_AN_UNREAD_FILE_NS
        size = max(0, node.held_size)
        if not size:
            for content in (node.arguments, node.result):
                size += 0 if content is None or content is MISSING else evidence_size(content)
        return cost_ns + size * _OF_A_CHARACTER_NS
    if isinstance(node, SpanNode) and node.span is not None:
        texts = [value for value in raw_attributes(node.span).values() if type(value) is str]
        return _COMPARING_A_CALL_NS + sum(map(len, texts)) * _OF_A_CHARACTER_NS
    return 0

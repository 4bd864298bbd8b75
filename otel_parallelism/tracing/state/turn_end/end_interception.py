"""
Ends turns of other instrumentations while their span can still be written to.

The SDK freezes a span before it calls processors at its end. So the ``end`` method of a span that may be a turn is
replaced on the instance: the report is written first, then the original ``end`` runs with the same end time. On an
SDK whose ``_on_ending`` hook can write, ``end`` stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism import clock
from otel_parallelism.model import Call, TurnSpan
from otel_parallelism.tracing.sdk.compatibility.span_ends import patch_end, unpatch_end
from otel_parallelism.tracing.sdk.records import is_marked
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.state.classification import final_observation
from otel_parallelism.tracing.state.registry import REGISTRY

from .ending import finish
from .releasing import discard

if TYPE_CHECKING:
    from otel_parallelism.tracing.state.nodes import SpanNode


class EndInterceptor:
    """
    Intercepts the end of spans that may be turns, for one span processor.

    Attributes:
        active: Whether turns still end through this interceptor; False after `stop`.
        patches: Whether ``end`` methods are replaced; False where the processor's ``_on_ending`` hook can write.
    """

    def __init__(self) -> None:
        self.active: bool = True
        self.patches: bool = True

    def stop(self) -> None:
        """Intercept nothing from now on; open spans end without us."""
        self.active = False

    def intercept(self, node: SpanNode) -> None:
        """Have `end_turn` called just before the span of *node* ends; at most once a span, from any thread."""
        span = node.span
        candidates = REGISTRY.candidates
        if node.span_id in candidates:
            return
        candidates[node.span_id] = node
        if not self.patches:
            return
        original = span.end
        unclaimed = [node]

        def end(end_time: int | None = None) -> None:
            end_ns = clock.wall_ns() if end_time is None else end_time
            try:
                # Two threads may end one span: pop() succeeds in one of them only.
                unclaimed.pop()
            except IndexError:
                return
            try:
                self.end_turn(node, end_ns - clock.shift_ns())
            finally:
                unpatch_end(span, end)
                original(end_ns)

        if not patch_end(span, end):
            # The turn is still analyzed in `on_end`; its span gets no result.
            candidates.pop(node.span_id, None)

    def end_turn(self, node: SpanNode, end_ns: int) -> None:
        """
        Finish *node* and write its report on its span, if it is a turn, or a root with something below.

        An internal error is logged, not raised: the span must end in any case.
        """
        REGISTRY.candidates.pop(node.span_id, None)
        if not self.active:
            return
        try:
            _end_turn(node, end_ns)
        except BaseException as error:  # noqa: BLE001 - the span must end in any case
            discard(node)
            swallow("ending a turn", error)


def _end_turn(node: SpanNode, end_ns: int) -> None:
    if node.finished or (node.children is None and not node.is_turn and not is_marked(node.span)):
        return
    observation = final_observation(node, end_ns)
    if type(observation) is not TurnSpan and node.parent is not None:
        # Its attributes said "turn" at its start and no longer do: it is a part of the turn around it.
        REGISTRY.turns.pop(id(node), None)
        return
    if type(observation) is Call and node.parent is None and node.children is None:
        return
    node.end_ns = end_ns
    finish(node, end_ns)

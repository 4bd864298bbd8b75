"""langchain_core beyond the contract: annotated tools, tools that code calls directly, event streams."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from frameworks.agents.langgraph_shapes import TWO, Scripted
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.tools import StructuredTool

from otel_parallelism import agent_turn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism import Report


class Streaming(Scripted):
    """The same model with streamed answers."""

    def _stream(self, messages: list[Any], *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        (generation,) = self._generate(messages).generations
        chunks = [
            {"name": call["name"], "args": json.dumps(call["args"]), "id": call["id"], "index": index}
            for index, call in enumerate(generation.message.tool_calls)
        ]
        yield ChatGenerationChunk(message=AIMessageChunk("", tool_call_chunks=chunks))


def shout(text: str) -> str:
    """Return the text in capitals."""
    time.sleep(0.06)  # a turn that is too short to have findings keeps no details of its calls
    return text.upper()


@pytest.mark.parametrize(
    ("metadata", "effect"),
    [({"readOnlyHint": True}, "read"), ({"readOnlyHint": False}, "write"), ({"readOnlyHint": "?"}, "unknown")],
)
def test_annotation_in_metadata_gives_the_effect(reports: list[Report], metadata: dict[str, Any], effect: str) -> None:
    tool = StructuredTool.from_function(shout, metadata=metadata)
    with agent_turn("by hand"):
        assert [tool.invoke({"text": text}) for text in ("x", "y")] == ["X", "Y"]
    (report,) = reports
    assert [(call.tool, call.effect, call.error) for call in report.turn.calls] == [("shout", effect, False)] * 2


@pytest.mark.filterwarnings("ignore::langchain_core._api.beta_decorator.LangChainBetaWarning")
async def test_async_event_stream_records_the_requested_calls(reports: list[Report]) -> None:
    tool = StructuredTool.from_function(shout, name="get_weather")
    with agent_turn("by hand"):
        stream = await Streaming().astream_events([HumanMessage(json.dumps([TWO]))], version="v3")
        for call in (await stream.output).tool_calls:
            tool.invoke({**call, "args": {"text": call["args"]["city"]}})
    (report,) = reports
    assert [call.call_id for call in report.turn.calls] == ["call_0_0_0", "call_0_0_1"]
    assert [step.requested for step in report.turn.steps] == [("call_0_0_0", "call_0_0_1")]

"""pydantic_ai against a local server that speaks OpenAI's protocol."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pydantic_ai import Agent as PydanticAgent
from pydantic_ai import Tool
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.toolsets import FunctionToolset

from frameworks import scenarios
from frameworks.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.trace import TracerProvider

# Blocking tools run in threads; an error in a tool ends the run.
BEHAVIOUR = Behaviour(modules=("pydantic_ai",), distribution="pydantic-ai-slim", fails=True)


class Agent:
    """An agent that is run for its answer or for its text stream."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        model = OpenAIChatModel("stub", provider=OpenAIProvider(base_url=self.url + "/v1", api_key="none"))
        agent = PydanticAgent(model, name="helper", instructions=scenarios.SYSTEM, tools=list(tools))
        async with model.client:
            if stream:
                async with agent.run_stream(prompt) as streamed:
                    return "".join([words async for words in streamed.stream_text(delta=True)])
            return (await agent.run(prompt)).output


def native(provider: TracerProvider) -> None:
    """The framework's own spans, without content."""
    from pydantic_ai.models.instrumented import InstrumentationSettings

    PydanticAgent.instrument_all(InstrumentationSettings(include_content=False))


def openinference(provider: TracerProvider) -> None:
    """A processor that adds to the framework's own spans."""
    from openinference.instrumentation.pydantic_ai import OpenInferenceSpanProcessor

    provider.add_span_processor(OpenInferenceSpanProcessor())
    PydanticAgent.instrument_all()


BESIDE = {"native": native} | ({"openinference": openinference} if find_spec("openinference") else {})


def tool_schemas(function: Any) -> list[Any]:
    """Return what pydantic-ai makes of *function*, in each of the ways that it makes tools."""
    made: Any = Tool(function)
    toolset: Any = FunctionToolset([function])
    schema = made.function_schema
    return [made.tool_def, toolset.tools[function.__name__].tool_def, schema.takes_ctx, schema.is_async]

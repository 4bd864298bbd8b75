"""Semantic Kernel's ChatCompletionAgent with OpenAI's client, against a local server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai import AsyncOpenAI
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
from semantic_kernel.functions import kernel_function

from frameworks import scenarios
from frameworks.behaviour import BLOCKING, Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.trace import TracerProvider

BEHAVIOUR = Behaviour(modules=("semantic_kernel",), distribution="semantic-kernel", blocking=BLOCKING, prefix="desk-")


class Agent:
    """An agent whose functions are one plugin."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        async with AsyncOpenAI(base_url=f"{self.url}/v1", api_key="none") as client:
            agent = ChatCompletionAgent(
                service=OpenAIChatCompletion(ai_model_id="stub", async_client=client),
                name="helper",
                instructions=scenarios.SYSTEM,
            )
            agent.kernel.add_functions("desk", {tool.__name__: kernel_function(tool) for tool in tools})
            if not stream:
                return str((await agent.get_response(prompt)).content)
            return "".join([str(item.content) async for item in agent.invoke_stream(prompt)])


def diagnostics(provider: TracerProvider) -> None:
    from semantic_kernel.utils.telemetry.agent_diagnostics import decorators as agents
    from semantic_kernel.utils.telemetry.model_diagnostics import decorators as models

    # The environment variable would set this, but it is read at import.
    agents.MODEL_DIAGNOSTICS_SETTINGS.enable_otel_diagnostics = True
    models.MODEL_DIAGNOSTICS_SETTINGS.enable_otel_diagnostics = True


def openinference(provider: TracerProvider) -> None:
    from openinference.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=provider)


def traceloop(provider: TracerProvider) -> None:
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=provider)


BESIDE = {"diagnostics": diagnostics, "openinference": openinference, "traceloop": traceloop}

"""Google's ADK with a stub model whose calls have no ids, like Gemini's."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from google.adk.agents import LlmAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models import BaseLlm, LlmRequest, LlmResponse
from google.adk.runners import InMemoryRunner
from google.genai import types

from frameworks import scenarios
from frameworks.behaviour import BLOCKING, Behaviour

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from opentelemetry.trace import TracerProvider

BEHAVIOUR = Behaviour(modules=("google.adk",), distribution="google-adk", blocking=BLOCKING, fails=True)


class Stub(BaseLlm):
    """A model that requests the calls of the scenarios."""

    async def generate_content_async(
        self, llm_request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        await asyncio.sleep(scenarios.THINKING)
        parts = [part for content in llm_request.contents for part in content.parts or []]
        said: list[Any] = [part.text or (part.function_response and part.function_response.response) for part in parts]
        results = sum(part.function_response is not None for part in parts)
        asked = [
            types.Part(function_call=types.FunctionCall(id=each.id, name=each.name, args=each.arguments))
            for each in scenarios.asked_for(json.dumps(said), results)
        ]
        content = types.Content(role="model", parts=asked or [types.Part(text=scenarios.ANSWER)])
        if stream and not asked:
            for word in scenarios.ANSWER.split():
                part = types.Part(text=word)
                yield LlmResponse(content=types.Content(role="model", parts=[part]), partial=True)
        yield LlmResponse(
            content=content,
            partial=False if stream else None,
            usage_metadata=types.GenerateContentResponseUsageMetadata(prompt_token_count=80, candidates_token_count=20),
        )


class Agent:
    """One agent without sub-agents, run in memory."""

    def __init__(self, url: str) -> None:
        pass

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        agent = LlmAgent(name="helper", model=Stub(model="stub"), instruction=scenarios.SYSTEM, tools=list(tools))
        runner = InMemoryRunner(agent=agent, app_name="desk")
        session = await runner.session_service.create_session(app_name="desk", user_id="someone")
        answer = ""
        async for event in runner.run_async(
            user_id="someone",
            session_id=session.id,
            new_message=types.Content(role="user", parts=[types.Part(text=prompt)]),
            run_config=RunConfig(streaming_mode=StreamingMode.SSE if stream else StreamingMode.NONE),
        ):
            if event.is_final_response() and event.content is not None:
                answer = "".join(part.text or "" for part in event.content.parts or [])
        return answer


def openinference(provider: TracerProvider) -> None:
    from openinference.instrumentation.google_adk import GoogleADKInstrumentor

    GoogleADKInstrumentor().instrument(tracer_provider=provider)


BESIDE = {"openinference": openinference}

"""Semantic Kernel beyond the contract: a custom connector, and a chat without an agent."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from frameworks import scenarios
from semantic_kernel import Kernel
from semantic_kernel.connectors.ai.chat_completion_client_base import ChatCompletionClientBase
from semantic_kernel.connectors.ai.function_choice_behavior import FunctionChoiceBehavior
from semantic_kernel.connectors.ai.prompt_execution_settings import PromptExecutionSettings
from semantic_kernel.contents import AuthorRole, ChatHistory, ChatMessageContent, FunctionCallContent, TextContent
from semantic_kernel.functions import kernel_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_parallelism import Report


class Stub(ChatCompletionClientBase):
    """A connector that answers with the scenarios."""

    SUPPORTS_FUNCTION_CALLING: ClassVar[bool] = True

    async def _inner_get_chat_message_contents(
        self, chat_history: ChatHistory, settings: PromptExecutionSettings
    ) -> list[ChatMessageContent]:
        await asyncio.sleep(scenarios.THINKING)
        said = [message.content for message in chat_history.messages]
        results = sum(message.role == AuthorRole.TOOL for message in chat_history.messages)
        asked: list[Any] = [
            FunctionCallContent(id=each.id, name=each.name, arguments=each.encoded)
            for each in scenarios.asked_for(json.dumps(said), results)
        ]
        return [ChatMessageContent(role=AuthorRole.ASSISTANT, items=asked or [TextContent(text=scenarios.ANSWER)])]

    def _update_function_choice_settings_callback(self) -> Callable[..., None]:
        return lambda *_, **__: None

    def _reset_function_choice_settings(self, settings: PromptExecutionSettings) -> None:
        pass


@pytest.mark.parametrize(("prompt", "steps", "cause"), [(scenarios.BURST, 2, None), (scenarios.ROUNDS, 4, "model")])
def test_chat_without_an_agent_is_a_turn(reports: list[Report], prompt: str, steps: int, cause: str | None) -> None:
    async def chat() -> Any:
        kernel = Kernel()
        tools = scenarios.Toolbox().asynchronous()
        kernel.add_functions("desk", {tool.__name__: kernel_function(tool) for tool in tools})
        history = ChatHistory()
        history.add_user_message(prompt)
        settings = PromptExecutionSettings(function_choice_behavior=FunctionChoiceBehavior.Auto())
        return await Stub(ai_model_id="stub").get_chat_message_content(history, settings, kernel=kernel)

    answer = asyncio.run(chat())
    assert str(answer) == scenarios.ANSWER
    (report,) = reports
    assert (report.calls, report.steps, report.cause) == (3, steps, cause)
    assert all(call.proved for call in report.turn.calls)


OWNER = "zanzibar-77123"


class Looking(Stub):
    """A connector that asks for an owner, then for the profile; in a prompt it is asked for the owner itself."""

    async def _inner_get_chat_message_contents(
        self, chat_history: ChatHistory, settings: PromptExecutionSettings
    ) -> list[ChatMessageContent]:
        await asyncio.sleep(0.06)
        if "Name the owner" in chat_history.messages[-1].content:
            return [ChatMessageContent(role=AuthorRole.ASSISTANT, items=[TextContent(text=OWNER)])]
        results = sum(message.role == AuthorRole.TOOL for message in chat_history.messages)
        asked: list[Any] = [
            FunctionCallContent(id="first", name="desk-find_owner", arguments={"topic": "robots"}),
            FunctionCallContent(id="second", name="desk-read_profile", arguments={"owner": OWNER}),
        ][results : results + 1]
        return [ChatMessageContent(role=AuthorRole.ASSISTANT, items=asked or [TextContent(text="done")])]


async def find_owner(topic: str) -> str:
    await asyncio.sleep(0.06)
    return f"the {topic} belong to {OWNER}"


async def read_profile(owner: str) -> str:
    await asyncio.sleep(0.06)
    return f"the profile of {owner}"


async def passing(context: Any, following: Callable[[Any], Any]) -> None:
    """Filter nothing."""
    await following(context)


@pytest.mark.parametrize(
    ("how", "verdict"),
    [("function", "serial_by_need"), ("prompt", "serial_by_need"), ("filtered", "possibly_sequential")],
)
def test_result_is_read_unless_a_filter_may_replace_it(reports: list[Report], how: str, verdict: str) -> None:
    async def chat() -> Any:
        service = Looking(ai_model_id="stub")
        kernel = Kernel(services=service)
        kernel.add_function("desk", kernel_function(read_profile))
        if how == "prompt":
            kernel.add_function("desk", function_name="find_owner", prompt="Name the owner of {{$topic}}.")
        else:
            kernel.add_function("desk", kernel_function(find_owner))
        if how == "filtered":
            kernel.add_filter("function_invocation", passing)
        history = ChatHistory()
        history.add_user_message("Whose are the robots?")
        settings = PromptExecutionSettings(function_choice_behavior=FunctionChoiceBehavior.Auto())
        return await service.get_chat_message_content(history, settings, kernel=kernel)

    assert str(asyncio.run(chat())) == "done"
    (report,) = reports
    assert (report.calls, report.verdict) == (2, verdict)


def test_uninstrument_restores_the_methods_of_the_connector() -> None:
    assert not hasattr(Stub.__dict__["_inner_get_chat_message_contents"], "__wrapped__")

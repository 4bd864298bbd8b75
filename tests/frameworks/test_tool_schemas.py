"""The schema that a framework makes of a decorated tool equals that of the plain function."""

from __future__ import annotations

import importlib
from typing import Annotated, Any, Literal, get_type_hints

import pytest
from pydantic import BaseModel, Field

from otel_parallelism import agent_turn, profiled


class Place(BaseModel):
    """A place."""

    name: str = Field(description="Its name.")
    tags: list[str] = []


def weather(
    city: Annotated[str, Field(description="The city.")],
    days: int = 3,
    unit: Literal["C", "F"] = "C",
    places: list[Place] | None = None,
) -> dict[str, str]:
    """
    Tell the weather.

    Args:
        city: The city.
        days: For how many days.
        unit: The unit.
        places: The places.
    """
    return {"weather": f"{city} {days} {unit} {places}"}


async def flights(origin: str, *, direct: bool = False, dates: tuple[str, ...] = ()) -> list[str]:
    """Find flights."""
    return [origin, str(direct), *dates]


class Desk:
    """A tool that is a method."""

    def book(self, hotel: str, nights: float = 1.0) -> str:
        """Book a room."""
        return f"{hotel} {nights}"


# Some frameworks do not resolve annotations that are text.
for one in (weather, flights, Desk.book):
    one.__annotations__ = get_type_hints(one, include_extras=True)


@pytest.mark.parametrize("function", [weather, flights, Desk().book], ids=["function", "async", "method"])
@pytest.mark.parametrize(
    "decorate", [profiled, profiled(effect="read"), agent_turn("turn")], ids=["profiled", "with an effect", "a turn"]
)
def test_schema_of_a_decorated_tool_is_that_of_the_plain_one(
    request: pytest.FixtureRequest, function: Any, decorate: Any
) -> None:
    contract = importlib.import_module(f"frameworks.contract.{request.config.getoption('--framework')}")
    schemas: Any = getattr(contract, "tool_schemas", None)
    if schemas is None:
        pytest.skip("the schemas of six frameworks that read functions are compared")
    assert repr(schemas(decorate(function))) == repr(schemas(function))

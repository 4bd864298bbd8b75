"""The server of this package answers the client of the package mcp, over standard input and output."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

SPANS = Path(__file__).parents[1] / "fixtures" / "spans" / "mastra-native.jsonl"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copy(SPANS, tmp_path / "spans.jsonl")
    source = "async def page(c, user):\n    prices = await c.get_prices(user)\n    news = await c.find_news()\n"
    (tmp_path / "page.py").write_text(source)
    return tmp_path


async def test_client_asks_each_tool(root: Path) -> None:
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "otel_parallelism", "mcp", "--root", str(root)], cwd=str(root)
    )
    async with stdio_client(command) as (reads, writes), ClientSession(reads, writes) as session:
        await session.initialize()
        tools = (await session.list_tools()).tools

        async def ask(tool: str, **arguments: object) -> tuple[bool, str]:
            answer: Any = await session.call_tool(tool, dict(arguments))
            return bool(getattr(answer, "is_error", False)), "".join(part.text for part in answer.content)

        analysis = await ask("analyze_file", path="spans.jsonl")
        patterns = await ask("slowest_patterns", path="spans.jsonl", top=1)
        explained = await ask("explain_finding", path="spans.jsonl", finding=1)
        proposed = await ask("propose_fix", path="spans.jsonl")
        linted = await ask("lint_path", path="page.py")
        refused = await ask("analyze_file", path="../outside")
    assert sorted(tool.name for tool in tools) == [
        "analyze_file",
        "explain_finding",
        "lint_path",
        "propose_fix",
        "slowest_patterns",
    ]
    assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in tools)
    assert json.loads(analysis[1])["findings"][0]["cause"] == "model"
    assert json.loads(patterns[1])["patterns"][0]["calls"] == ["get_weather", "get_stock", "get_news"]
    assert "1 turn - 1 sequential" in explained[1]
    assert "# Using tools in parallel" in proposed[1]
    assert json.loads(linted[1])["findings"][0]["line"] == 2
    assert not any(failed for failed, _ in (analysis, patterns, explained, proposed, linted))
    assert refused[0]
    assert "outside of the served folder" in refused[1]

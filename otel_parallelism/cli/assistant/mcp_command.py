"""``otel-parallelism mcp`` serves the analysis, the lint and their proposals to a coding agent, over MCP."""

from __future__ import annotations

import asyncio
import sys
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from otel_parallelism.errors import ParallelismError
from otel_parallelism.shown_names import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_BAD_INPUT: Final = 2
_TOOLS: Final = ("analyze_file", "slowest_patterns", "explain_finding", "lint_path", "propose_fix")
_INSTRUCTIONS: Final = (
    "Finds tool calls and awaits that ran one after another and could have run in parallel: in stored OpenTelemetry "
    "spans of an agent (analyze_file, slowest_patterns, explain_finding) and in Python source (lint_path). propose_fix "
    "returns a diff or text and writes nothing. Findings that are 'recommended' are sure; others need a look."
)


@click.command("mcp", short_help="Serve analysis and lint to a coding agent.")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    metavar="DIR",
    help="The folder whose files may be asked about. Nothing outside is read.",
)
def serve_mcp(root: Path) -> None:
    """
    Serve analysis and lint to a coding agent, as an MCP server over standard input and output.

    Needs the extra "mcp" (pip install "otel-parallelism[mcp]"). The tools read files below DIR and write nothing;
    propose_fix returns a diff. No answer holds the arguments or results of calls.
    """
    try:
        server = _server(root)
    except ImportError:
        click.echo('The package mcp is not installed: pip install "otel-parallelism[mcp]".', err=True)
        sys.exit(_BAD_INPUT)
    server.run("stdio")


def _server(root: Path) -> Any:
    """
    Return a server that offers the tools for *root*.

    Raises:
        ImportError: The package mcp is not installed.
    """
    # Version 1 of the package has the same classes under other names.
    try:
        from mcp.server import MCPServer  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - an extra
        from mcp.server.mcpserver.exceptions import (  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
            ToolError,
        )
    except ImportError:
        from mcp.server.fastmcp import (  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
            FastMCP as MCPServer,
        )
        from mcp.server.fastmcp.exceptions import (  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
            ToolError,
        )
    from mcp.types import ToolAnnotations  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    from .folder_tools import FolderTools  # noqa: PLC0415 - a fast --help

    server = MCPServer("otel-parallelism", instructions=_INSTRUCTIONS)
    served = FolderTools(root)
    reads = ToolAnnotations(readOnlyHint=True, idempotentHint=True, openWorldHint=False)
    for name in _TOOLS:
        server.tool(annotations=reads)(_in_thread(getattr(served, name), ToolError))
    return server


def _in_thread(answer: Callable[..., Any], failed: type[Exception]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """
    Return *answer* as a coroutine function that runs it in a thread: a long analysis must not stop the server.

    It raises *failed* with the message for the client where a file cannot be read, or a setting is wrong.
    """

    @wraps(answer)
    async def tool(*args: Any, **kwargs: Any) -> Any:
        try:
            return await asyncio.to_thread(partial(answer, *args, **kwargs))
        except (ParallelismError, ValueError, OSError) as error:
            raise failed(printable(str(error))) from None

    return tool

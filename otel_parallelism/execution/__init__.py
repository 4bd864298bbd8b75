"""Runs independent calls concurrently, within limits: maps, tool rounds and task graphs; also a prompt section."""

from __future__ import annotations

from otel_parallelism.errors import CancelledCallError, GraphError, SkippedTaskError

from .bounded_map.mapping import ParallelMap, parallel_map
from .calling.rate import Rate
from .calling.retry import Retry
from .prompt import prompt
from .task_graph.graph import TaskGraph
from .task_graph.graph_plan import GraphReport, Plan, Timing
from .task_graph.graph_run import GraphResults
from .task_graph.graph_task import Task
from .tool_round.dispatch import run_tools

__all__ = [
    "CancelledCallError",
    "GraphError",
    "GraphReport",
    "GraphResults",
    "ParallelMap",
    "Plan",
    "Rate",
    "Retry",
    "SkippedTaskError",
    "Task",
    "TaskGraph",
    "Timing",
    "parallel_map",
    "prompt",
    "run_tools",
]

"""What fixes the findings: calls that may run together do, in order, within limits, and seen by the analysis."""

from __future__ import annotations

from .errors import CancelledCallError, GraphError, SkippedTaskError
from .graph_plan import GraphReport, Plan
from .graph_run import GraphResults
from .graph_task import Task
from .parallel_map import ParallelMap, parallel_map
from .prompt import prompt
from .rate import Rate
from .retry import Retry
from .run_tools import run_tools
from .task_graph import TaskGraph

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
    "parallel_map",
    "prompt",
    "run_tools",
]

"""The dashboard of all agents, from the metrics in Prometheus: what parallelism costs, whom, and why."""

from __future__ import annotations

from typing import Any

import calls
import losses
import over_time
import summary
from expressions import (
    AGENT,
    CAUSE,
    LOST,
    TURNS,
)
from kit import (
    COLUMNS,
    PARALLELISM_UID,
    PROMETHEUS,
    TURNS_UID,
    Board,
    choice,
    plain_link,
    prose,
    source_choice,
)

HOW_TO_READ = """\
**Efficiency** is the number to watch: how long the tool calls would have taken had each started as soon as what it \
needs was there ÷ how long they took. **1** means nothing to gain, even where calls run one after another because each \
needs the one before. Below **0.9** something could be saved, below **0.6** most of it. **Ratio** is how parallel the \
calls ran: 1 is one after another, 5 is five at once; a ratio of 1 alone is no fault. **Time lost** is what running \
independent calls together would certainly have saved.

Start with the table of agents: its first row is where the most can be gained, and a click on an agent leads to its \
turns. The *cause* says who can fix it: `model` the system prompt; `dispatch`, `code` and `blocking` the program; \
`limit` and `contention` the service behind the tool.
"""


def board() -> Board:
    """Return the whole dashboard."""
    made = Board(
        "Agent parallelism",
        PARALLELISM_UID,
        "How parallel the tool calls of AI agents run, how parallel they could run, what the difference costs, and "
        "why.",
        ["agents", "otel-parallelism"],
    )
    made.variables(_variables())
    made.made.link(plain_link("Turns", TURNS_UID))
    made.row(5, (COLUMNS, prose("How to read this", HOW_TO_READ)))
    made.row(5, *((4, panel) for panel in summary.headline()))
    made.section("Where to start")
    made.row(9, (24, summary.agents()))
    made.section("Efficiency and ratio")
    made.row(9, (12, over_time.efficiency_by_agent()), (12, over_time.efficiency_spread()))
    made.row(9, (12, over_time.ratio_by_agent()), (12, over_time.ratio_spread()))
    made.row(9, (12, over_time.ratio_heatmap()), (12, over_time.verdicts()))
    made.section("Time lost, and why")
    made.row(9, (12, losses.lost_by_cause()), (12, losses.lost_by_advice()))
    made.row(8, (8, losses.steps()), (8, losses.tokens()), (8, losses.chain_length()))
    made.section("Calls")
    made.row(8, (12, calls.calls_per_step()), (12, calls.tool_durations()))
    made.section("Right now")
    made.row(7, (8, calls.open_turns()), (8, calls.open_calls()), (8, calls.live_ratio()))
    return made


def _variables() -> list[Any]:
    return [
        source_choice("prometheus"),
        choice(
            "job",
            "The service whose agents are shown: service.name, or the scrape job.",
            f"label_values({TURNS}, job)",
            PROMETHEUS,
            ".+",
        ),
        choice(
            "agent",
            "gen_ai.agent.name of the turn; All holds turns without a name too.",
            f'label_values({TURNS}{{job=~"$job"}}, {AGENT})',
            PROMETHEUS,
            ".*",
        ),
        choice(
            "cause",
            "Why calls ran one after another. Narrows only what is about findings: time lost and chains.",
            f'label_values({LOST}{{job=~"$job", {AGENT}=~"$agent"}}, {CAUSE})',
            PROMETHEUS,
            ".*",
        ),
    ]

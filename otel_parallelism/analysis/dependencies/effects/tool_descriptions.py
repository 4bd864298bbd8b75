"""
Finds descriptions of tools that say more than that the tool reads: "Lists what the last search found".

A description is text for a model. It defeats a reading name, and never makes a call read.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from otel_parallelism.patterns import LazyPattern

_ACTING: Final = (
    r"(?:creates?|updates?|deletes?|removes?|inserts?|writes?|sends?|cancels?|modif(?:y|ies)|replaces?|publish(?:es)?"
    r"|submits?|installs?|approves?|rejects?|saves?|marks?|sets?|resets?|clears?|reserves?|books?|locks?|unlocks?"
    r"|opens?|closes?|starts?|stops?|triggers?|launch(?:es)?|executes?|increments?|consumes?|claims?|acknowledges?"
    r"|moves?|renames?|uploads?|adds?|registers?|records?|refresh(?:es)?|selects?|navigates?|clicks?|switch(?:es)?"
    r"|posts?|pays?|buys?|stores?|logs?|caches?|keeps?|remembers?|holds?|advances?|pops?|dequeues?|takes?)"
)
_OBJECT: Final = r"(?: (?:the|a|an|it|them|its|this|that|each|all|any|one|what|you|your)\b)"
_READING: Final = "get|list|search|find|fetch|read|lookup|query|check|describe|show|view"
_WRITING: Final = "create|open|start|load|select|set|add|update|delete|submit|run|login|init|use|write|close|save|send"

TELLS_OF_MORE: Final = (
    rf"(?:^|[.!?;,]\s+|\b(?:and|also|then|it|or|will) ){_ACTING}{_OBJECT}"
    r"|\b(?:last|previous|earlier|preceding|most recent) (?:\w+ ){0,2}(?:call|search|query|results?|request|run|step"
    r"|lookup|response|tool|command|invocation)s?\b"
    r"|\b(?:opened|selected|active|current|open|loaded|chosen) (?:session|page|tab|window|file|document|selection|scope"
    r"|cursor|connection|directory|workspace|branch|database|dataset|workbook|sheet|project|conversation|thread)\b"
    r"|\b(?:must|should|has to|have to|needs? to|can only|may only|only) be (?:called|used|run|invoked|preceded)\b"
    r"|\b(?:call|use|run|invoke)(?:d|ed)? (?:this |it )?(?:tool |function )?(?:only )?(?:first|before|after|once"
    r"|until)\b"
    r"|\b(?:after|before|until|once|unless) (?:calling|using|running|a call|you have|you've|it has|you call|you use)\b"
    r"|\bpoll(?:s|ed|ing)?\b|\bnext (?:page|item|batch|message|job|task|chunk|record|entry|line)\b"
    rf"|\b(?:{_READING}|{_WRITING})_[a-z]\w*"
)
"""An expression, in lower case, that such a description matches. It has no look-around, as ClickHouse knows none."""

TELLS_OF_NOTHING: Final = (
    r"```[^`]*```"
    r"|\b(?:run|start|search|query|sort|view|check|open|close|use|set)_(?:ids?|types?|times?|at|dates?|day|terms?|text"
    r"|string|key|name|urls?|params?|options?|mode|size|limit|count|by|from|to|fields?|timestamp|number|price|cache|line"
    r"|column|index|lat|lng|lon)\b"
    r"|\bsends? an? (?:[\w/:.]+ ){0,3}request\b"
)
"""An expression for what is cut out before: examples of code, names of parameters, and the request that reads."""

_MORE, _NOTHING = LazyPattern(TELLS_OF_MORE), LazyPattern(TELLS_OF_NOTHING)
_MOST_READ: Final = 2_000


@lru_cache(maxsize=1024)
def tells_of_more(description: str, tool: str) -> bool:
    """
    Return whether the *description* of a *tool* says that it acts, or that its calls depend on others.

    >>> tells_of_more("Get the current weather in a city.", "get_weather")
    False
    >>> tells_of_more("Lists evidence of the scope opened by the last get_scope call.", "list_evidence")
    True
    >>> tells_of_more("Lists runs. start_time: the earliest start", "list_runs")
    False
    >>> tells_of_more("Lists what the last search found", "search")
    True
    >>> tells_of_more("Fetches a mail and marks it as read.", "fetch_mail")
    True
    """
    text = description[:_MOST_READ].lower()
    if "_" in tool:
        # Its own name is not that of another tool.
        text = text.replace(tool.lower(), " ")
    return _MORE.search(_NOTHING.sub(" ", " ".join(text.split()))) is not None

"""
SQL expressions over single spans that decide whether the calls of one model response form a chain.

The expressions are cautious: where a span may say something that the core takes into account and SQL does not read, it
is not plain, and no chain is named.
"""

from __future__ import annotations

from typing import Final

from otel_parallelism import names
from otel_parallelism.analysis.dependencies.effects import verb_tables as tables
from otel_parallelism.analysis.dependencies.effects.acting_addresses import ACTING_PATHS
from otel_parallelism.analysis.dependencies.effects.argument_effects import (
    ACTS,
    ACTS_WITH,
    FOR_A_WHILE,
    POLICIES,
    REHEARSALS,
)
from otel_parallelism.analysis.dependencies.effects.left_behind import CONTEXTS, INDICES, PARTS_OF_TABLES, WORKPLACES
from otel_parallelism.analysis.dependencies.effects.reported_acts import ACTED
from otel_parallelism.analysis.dependencies.effects.tool_descriptions import TELLS_OF_MORE, TELLS_OF_NOTHING
from otel_parallelism.dialects.parsing.tool_definitions import BODIES, DEFINITIONS, OTHER_DEFINITIONS
from otel_parallelism.dialects.retrievals import READING_OPERATIONS, WRITING_OPERATIONS

from .sql_expressions import attribute, attributes, cases, is_any, listed, quoted

UNSURE, ORDERLESS, READING = range(3)
"""
What a tool's name says: nothing, that its calls may run in any order as far as their effects are known, or that they
read.
"""

_CALL_IDS: Final = (names.TOOL_CALL_ID, "gen_ai.tool.call_id", "tool_call.id", "tool.call_id", "tool.id")
_DESCRIPTIONS: Final = ("gen_ai.tool.description", "tool.description")
_SCHEMAS: Final = "llm.tools."
_DEFINE: Final = '"(tools|functions)"'
ANY_TOOL: Final = "*"
"""Stands for all tools, where definitions are in a form that SQL does not read."""
_NOT_READ: Final = (*_DESCRIPTIONS, "tool.parameters", "tool.json_schema")
"""Attributes of calls that the core does not read, or that are compared apart."""

_SCREENS_AND_SESSIONS: Final = tables.word_set(
    """
    click tap swipe hover drag scroll navigate goto screenshot snapshot dblclick keypress mouse keyboard viewport
    type press fill key keys back forward wait select go input enter switch option checkbox box
    login logout log sign authenticate connect disconnect reconnect cd chdir change directory pushd popd use git page
    """
)
_OF_ARGUMENTS: Final = tables.GENERIC | tables.word_set(
    """
    db supabase databricks warehouse neo4j exec query fetch add multiply subtract divide sum math calculate calculator
    compute convert translate format
    """
)
"""Words of names with which the arguments say what a call does."""
_NEVER: Final = (
    *(tables.WRITES | tables.WRITES_OR_NOUNS | tables.WRITES_IN_FRONT | tables.WRITES_AFTER_A_VERB),
    *(tables.SCREENS | tables.RESULTS | _SCREENS_AND_SESSIONS | _OF_ARGUMENTS),
)
_DOUBTS: Final = (
    *_NEVER,
    *(tables.DOUBTFUL | tables.ASKED_OF_A_PERSON | tables.CONJUNCTIONS | tables.PREPOSITIONS | tables.IN_USE),
    *(tables.TOKENS | tables.EMPTY_WORDS | tables.FETCHED_BY_ARGUMENTS | {"as", "new", "pull"}),
    *(tables.SELECTED | {first for first, _ in tables.SINGLE_USE | tables.COUNTED_BY_USE} | PARTS_OF_TABLES),
)
_READS: Final = tables.word_set("get list search find read lookup retrieve describe") & tables.READS
"""Those of the reading verbs after which no later call reads what was found or made, by its name alone."""

_SEARCHING: Final = ("search", "find", "lookup")

# Names of arguments from which the core reads an effect, and texts that it takes for statements, addresses or acts.
_TELLING_ARGUMENTS: Final = (
    *("(http_?|request_?)?method", "(http_?)?verb", "(json_?)?body", "data", "json", "payload", "form(_?data)?"),
    *("files", "operation", "op", r"\w*commands?", "cmd", "args", "command_?line", "subcommand"),
    *(r"\w*statements?", "queries", "stmt", "script", "code", "cypher", "mutation", "graphql", "document", "gql"),
    *(r"action\w*", r"\w*_of_action", r"\w*sql\w*"),
    r"(output|out|save|dest|destination|download|export|dump|target|write|to)\w*",
)
_STATEMENTS: Final = (
    *("select", "insert", "update", "delete", "with", "create", "drop", "alter", "explain", "show", "describe", "set"),
    *("use", "begin", "start", "commit", "rollback", "savepoint", "mutation", "query", "subscription", "match"),
    *("merge", "cd", "pushd", "popd", "source", "export", "replace", "truncate", "grant", "call", "exec"),
)
_ADDRESS_THAT_ACTS: Final = (
    r"https?://[^\s\"']*(/|[?&](action|do|cmd|op)=)(delete|remove|unsubscribe|log-?out|sign-?out|confirm|activate"
    r"|cancel|approve|create|update|add|vote|checkout|purchase|pay|accept|reject|reset|send|verify|redeem)"
    rf"|https?://[^\s\"']*({ACTING_PATHS})"
)
_DONE: Final = (
    r"(loaded|opened|saved|stored|cached|switched|connected|navigated|wrote|written|uploaded|exported|imported|indexed"
    r"|warmed|primed|rebuilt|refreshed|initiali[sz]ed|unpacked|cloned|mounted|attached|(logged|signed) in|checked out)"
)
_LEFT_BEHIND: Final = (
    r"(session|connection|browser|kernel) (started|opened|created|established)",
    r"(entry|config|kubeconfig|context|credentials?|profile) ((was|has been) )?(generated|created|updated|added|set)",
    r"(entry|config|kubeconfig|context|credentials?|profile) ((was|has been) )?merged",
    r"is now (open|active|selected|available|loaded|current)|now (viewing|connected|logged in)",
    r"(results?|output|data) (is|are) (now )?(available|stored|saved|ready|kept) (in|at|under|as|via)",
    r"(stored|saved|loaded|written|cached|kept|put) (in|into|to|as|under)",
)
_QUOTE: Final = r"""\\*["']"""
_ACTS: Final = "|".join(sorted(ACTS))
_ACTS_INSIDE: Final = "|".join(sorted(word.capitalize() for word in ACTS))
_REHEARSALS: Final = "|".join("[-_ .]*".join(word) for word in sorted(REHEARSALS))
_FLAGS: Final = (
    rf"({_QUOTE}|[-_ .])({_ACTS})[^\"']*{_QUOTE}\s*:\s*true|(?-i:[a-z0-9]({_ACTS_INSIDE}))[^\"']*{_QUOTE}\s*:\s*true",
    rf"{_QUOTE}\W*({'|'.join(sorted(ACTS_WITH))})[^\"']*{_QUOTE}\s*:\s*{_QUOTE}",
    rf"{_QUOTE}\W*({_REHEARSALS})\W*{_QUOTE}\s*:\s*false",
)
_OF_BEFORE: Final = (
    r"^\W*$",
    rf"{_QUOTE}[^\"']*({'|'.join(sorted(CONTEXTS))})[-_. ]*(id)?{_QUOTE}\s*:",
    rf"^\W*({'|'.join(sorted(INDICES))})\W*\d+\W*$",
    rf"(?i){_QUOTE}[^\"']*({'|'.join(sorted(FOR_A_WHILE))})[^\"']*{_QUOTE}\s*:\s*[\d.]",
    rf"{_QUOTE}[^\"']*({'|'.join(sorted(POLICIES))}){_QUOTE}\s*:\s*{_QUOTE}",
    rf"{_QUOTE}[^\"']*({ACTED})[^\"']*{_QUOTE}\s*:\s*(true|[1-9])",
)
"""Contents that show a bond with other calls: no value, an index, a session; what a call held, or did to how many."""

_START_OF_TEXT: Final = rf"(^|{_QUOTE}|=)(\\[nrt]|\\u[0-9a-f]{{4}}|\W)*"
_TELLING: Final = "|".join(
    (
        rf"{_QUOTE}({'|'.join(_TELLING_ARGUMENTS)}){_QUOTE}\s*:",
        rf"(^|{_QUOTE}\s*:\s*{_QUOTE})\s*({'|'.join(_STATEMENTS)})\b",
        rf"(^|{_QUOTE})\s*(POST|PUT|PATCH|DELETE)\s*({_QUOTE}|$)",
        _ADDRESS_THAT_ACTS,
        *_FLAGS,
        rf"{_START_OF_TEXT}((successfully|has been|was|file|page|data|dataset|session|index|cache|model) )*{_DONE}\b",
        rf"\b({'|'.join(_LEFT_BEHIND)})\b",
        "^(retriever|retrieval|reranker)$",
        *_OF_BEFORE,
    )
)
_UNCLEAR_OUTPUT: Final = r"(?i)<|next_tool_name|Action:|\*\*\*|redacted|scrubbed|truncat|\.\.\.|…"
_CALL_MARKS: Final = r"tool_?-?call|toolUse|tool_use|function_?call|toolRequest"
_OF_CALL: Final = "position(key, '.tool_calls.') > 0 AND position(key, '.tool_call.') > 0"
_UNKNOWN_IDS: Final = "['']"
"""An id that no call has, where the ids that a response lists are not sure."""


def chain_fields() -> dict[str, tuple[str, str]]:
    """Return the fields of a span that chains depend on, with their types and expressions, by name."""
    return {
        "call_id": ("String", _call_id()),
        "requested": ("Array(String)", _requested()),
        "is_plain": ("UInt8", f"toUInt8({_is_plain()})"),
        "doubted": ("Array(String)", doubted_tools()),
        "nature": ("UInt8", f"toUInt8({name_nature('tool')})"),
    }


def name_nature(tool: str) -> str:
    """Return what the name *tool* says of its calls: `UNSURE`, `ORDERLESS` or `READING`."""
    words, workplaces = f"splitByChar('_', {tool})", f"[{listed(WORKPLACES)}]"
    return cases(
        (f"NOT match({tool}, '^[a-z]+(_[a-z]+)*$')", str(UNSURE)),
        (
            f"{words}[1] IN ({listed(_SEARCHING)}) AND (length({words}) = 1 OR hasAny({words}, {workplaces}))",
            str(UNSURE),
        ),
        (f"{words}[1] IN ({listed(_READS)}) AND NOT hasAny(arrayPopFront({words}), [{listed(_DOUBTS)}])", str(READING)),
        (f"NOT hasAny({words}, [{listed(_NEVER)}])", str(ORDERLESS)),
        otherwise=str(UNSURE),
    )


def _call_id() -> str:
    """Return the model's id of a call; it is empty if there is none, or several."""
    given = f"arrayDistinct(arrayFilter(id -> id != '', [{', '.join(map(attribute, _CALL_IDS))}]))"
    return f"if(length({given}) = 1, {given}[1], '')"


def is_telling(text: str) -> str:
    """Return whether *text*, the arguments or the result of a call, may show an effect other than the name's."""
    return f"match({text}, {quoted('(?is)' + _TELLING)})"


def _is_plain() -> str:
    """Return whether nothing on the span says more of a call than its name and its time."""
    keys = "CAST(mapKeys(SpanAttributes) AS Array(String))"
    kept = f"arrayFilter((value, key) -> key NOT IN ({listed(_NOT_READ)}), mapValues(SpanAttributes), {keys})"
    values = f"arrayConcat({kept}, arrayFlatten(arrayMap(event -> mapValues(event), Events.Attributes)))"
    telling = is_telling("value")
    not_json = "if(match(value, '^\\\\s*[{[]'), NOT isValidJSON(value), 0)"
    operations = is_any(attribute(names.OPERATION_NAME), READING_OPERATIONS | WRITING_OPERATIONS)
    return (
        f"NOT arrayExists(key -> startsWith(key, {quoted(names.PREFIX)}), {keys}) AND empty(Links.SpanId)"
        f" AND NOT {operations} AND NOT arrayExists(value -> {telling} OR {not_json}, {values})"
        f" AND NOT {description_tells_of_more(attributes(*_DESCRIPTIONS), 'tool')}"
    )


def description_tells_of_more(description: str, tool: str) -> str:
    """Return whether the *description* of a *tool* says more than that it reads; as the core's function of the name."""
    own_name = f"if(position({tool}, '_') > 0, lower({tool}), '\\n')"
    others = f"replaceAll(lower({description}), {own_name}, ' ')"
    text = f"trimBoth(replaceRegexpAll({others}, {quoted('[[:space:]]+')}, ' '))"
    return f"match(replaceRegexpAll({text}, {quoted(TELLS_OF_NOTHING)}, ' '), {quoted(TELLS_OF_MORE)})"


def doubted_tools() -> str:
    """Return the tools whose definitions on a span say more than that they read; `ANY_TOOL` if some are not read."""
    given = attribute(DEFINITIONS)
    schemas = f"mapFilter((key, value) -> startsWith(key, {quoted(_SCHEMAS)}), SpanAttributes)"
    listed_tools = f"arrayConcat(JSONExtractArrayRaw({given}), CAST(mapValues({schemas}) AS Array(String)))"
    tools = f"arrayMap(one -> if(JSONHas(one, 'function'), JSONExtractRaw(one, 'function'), one), {listed_tools})"
    name = "JSONExtractString(one, 'name')"
    more = description_tells_of_more("JSONExtractString(one, 'description')", name)
    doubted = f"arrayMap(one -> {name}, arrayFilter(one -> {more}, {tools}))"
    others = sorted(OTHER_DEFINITIONS - {f"{_SCHEMAS}0.tool.json_schema"})
    unread = (
        f"multiIf(arrayExists(one -> {name} = '', {tools}), 1, {given} NOT IN ('', '[]'),"
        f" empty(JSONExtractArrayRaw({given})), hasAny(CAST(mapKeys(SpanAttributes) AS Array(String)),"
        f" [{listed(others)}]) OR match(concat({', '.join(map(attribute, BODIES))}), {quoted(_DEFINE)}))"
    )
    return f"if({unread}, arrayConcat({doubted}, [{quoted(ANY_TOOL)}]), {doubted})"


def _requested() -> str:
    """Return the ids of the calls that a model's response lists, where all places that list them agree."""
    found = f"arrayDistinct(arrayFilter(ids -> notEmpty(ids), [{_listed_in_messages()}, {_listed_in_keys()}]))"
    return f"multiIf(empty({found}), [], length({found}) = 1, {found}[1], {_UNKNOWN_IDS})"


def _listed_in_messages() -> str:
    """Return the ids in ``gen_ai.output.messages``, sorted."""
    output = attribute(names.OUTPUT_MESSAGES)
    parts = f"arrayFlatten(arrayMap(message -> JSONExtractArrayRaw(message, 'parts'), JSONExtractArrayRaw({output})))"
    calls = f"arrayFilter(part -> JSONExtractString(part, 'type') = 'tool_call', {parts})"
    ids = f"arraySort(arrayMap(part -> JSONExtractString(part, 'id'), {calls}))"
    known = quoted(r'"(type|finish_reason)"\s*:\s*"\w+"')
    others = f"match(replaceRegexpAll({output}, {known}, ''), {quoted(_CALL_MARKS)})"
    unclear = f"NOT isValidJSON({output}) OR match({output}, {quoted(_UNCLEAR_OUTPUT)}) OR {others}"
    cut_off = f"{attribute('anthropic.content.truncated')} != ''"
    return f"multiIf({output} = '', [], {unclear} OR {cut_off}, {_UNKNOWN_IDS}, {ids})"


def _listed_in_keys() -> str:
    """Return the ids in OpenInference's ``llm.output_messages.N.message.tool_calls.M.tool_call.id``, sorted."""
    outputs = "mapFilter((key, value) -> startsWith(key, 'llm.output_messages.'), SpanAttributes)"
    keys = f"CAST(mapKeys({outputs}) AS Array(String))"
    calls = (
        f"arrayDistinct(arrayMap(key -> splitByString('.tool_call.', key)[1], arrayFilter(key -> {_OF_CALL}, {keys})))"
    )
    with_id = f"arrayFilter(key -> {_OF_CALL} AND endsWith(key, '.tool_call.id'), {keys})"
    # Content blocks repeat the calls.
    ids = f"arraySort(arrayDistinct(mapValues(mapFilter((key, value) -> endsWith(key, '.tool_call.id'), {outputs}))))"
    unclear = f"arrayExists(value -> match(value, {quoted(_UNCLEAR_OUTPUT)}), mapValues({outputs}))"
    return f"multiIf(length({calls}) != length({with_id}) OR {unclear}, {_UNKNOWN_IDS}, {ids})"

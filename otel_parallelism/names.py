"""Every attribute, metric, event and environment-variable name that is emitted or read, with its unit and meaning."""

from __future__ import annotations

import msgspec

PREFIX = "agent.parallelism."
INSTRUMENTATION = "otel_parallelism"
SCHEMA_URL = "https://opentelemetry.io/schemas/1.37.0"


class Attribute(msgspec.Struct, frozen=True):
    """An attribute: its key, the type and unit of its value, and what it means."""

    key: str
    type: str
    unit: str
    meaning: str


class Instrument(msgspec.Struct, frozen=True):
    """A metric: its name, kind and unit, what it means, and its bucket boundaries if it is a histogram."""

    name: str
    kind: str
    unit: str
    meaning: str
    attributes: tuple[str, ...] = ()
    boundaries: tuple[float, ...] = ()


class Variable(msgspec.Struct, frozen=True):
    """An environment variable and what it sets."""

    name: str
    meaning: str


# On the turn's span.
RATIO = PREFIX + "ratio"
EFFICIENCY = PREFIX + "efficiency"
EFFICIENCY_FLOOR = PREFIX + "efficiency_floor"
ACHIEVABLE_RATIO = PREFIX + "achievable_ratio"
EFFECTIVE_RATIO = PREFIX + "effective_ratio"
COVERAGE = PREFIX + "coverage"
WORK = PREFIX + "work"
MAKESPAN = PREFIX + "makespan"
BUSY = PREFIX + "busy"
AVOIDABLE = PREFIX + "avoidable"
AVOIDABLE_POTENTIAL = PREFIX + "avoidable_potential"
CALLS = PREFIX + "calls"
PEAK_CONCURRENCY = PREFIX + "peak_concurrency"
CHAINS = PREFIX + "chains"
MAX_CHAIN_LENGTH = PREFIX + "max_chain_length"
AVOIDABLE_STEPS = PREFIX + "avoidable_steps"
VERDICT = PREFIX + "verdict"
CAUSE = PREFIX + "cause"
RECOMMENDATION = PREFIX + "recommendation"
DEFERRED = PREFIX + "deferred"

TURN_ATTRIBUTES = (
    Attribute(VERDICT, "string", "", "what the turn is: sequential, parallel, serial_by_need …"),
    Attribute(RATIO, "double", "1", "parallelization ratio: work ÷ makespan; 1 = one after another"),
    Attribute(EFFICIENCY, "double", "1", "critical path ÷ makespan; 1 = nothing to gain, the number to alert on"),
    Attribute(AVOIDABLE, "double", "s", "time that running independent calls together would save, safely"),
    Attribute(CAUSE, "string", "", "why the largest avoidable part was serial"),
    Attribute(RECOMMENDATION, "string", "", "what to do about it, in one sentence"),
    Attribute(CALLS, "int", "{call}", "tool calls of the turn itself"),
    Attribute(COVERAGE, "double", "1", "share of the calls with a known interval, tool name and scope"),
    Attribute(CHAINS, "int", "{chain}", "reported chains of calls that ran one by one and need not have"),
    Attribute(MAKESPAN, "double", "s", "from the first call's start to the last call's end"),
    Attribute(WORK, "double", "s", "sum of the calls' durations"),
    Attribute(EFFICIENCY_FLOOR, "double", "1", "efficiency if everything unknown were independent"),
    Attribute(AVOIDABLE_POTENTIAL, "double", "s", "what might be saved beyond that, if what is unknown allows it"),
    Attribute(ACHIEVABLE_RATIO, "double", "1", "what the ratio could be, dependencies being what they are"),
    Attribute(EFFECTIVE_RATIO, "double", "1", "the ratio without time spent waiting inside calls"),
    Attribute(PEAK_CONCURRENCY, "int", "{call}", "most calls open at one instant"),
    Attribute(BUSY, "double", "s", "time during which at least one call ran"),
    Attribute(MAX_CHAIN_LENGTH, "int", "{call}", "calls of the longest reported chain"),
    Attribute(AVOIDABLE_STEPS, "int", "{step}", "model requests saved if independent calls were requested together"),
)
"""The keys of a turn's span, the most important first: a span near its attribute limit gets the first that fit."""

# On a finding's event.
FINDING_EVENT = PREFIX + "finding"
RESULT_EVENT = PREFIX + "result"
FINDING_KIND = FINDING_EVENT + ".kind"
FINDING_CAUSE = FINDING_EVENT + ".cause"
FINDING_ADVICE = FINDING_EVENT + ".advice"
FINDING_TOOLS = FINDING_EVENT + ".tools"
FINDING_AVOIDABLE = FINDING_EVENT + ".avoidable"
FINDING_EVIDENCE = FINDING_EVENT + ".evidence"
CALLER_FILE_PATH = PREFIX + "caller.file_path"
CALLER_LINE_NUMBER = PREFIX + "caller.line_number"

FINDING_ATTRIBUTES = (
    Attribute(FINDING_KIND, "string", "", "sequential_chain, limit, contention, repeated_call or over_parallel"),
    Attribute(FINDING_CAUSE, "string", "", "why the calls ran one after another, or over_parallel"),
    Attribute(FINDING_ADVICE, "string", "", "recommended: known to be safe; potential: something is unknown"),
    Attribute(FINDING_TOOLS, "string[]", "", "the calls' tools, in order of start"),
    Attribute(FINDING_AVOIDABLE, "double", "s", "time by which a fix would shorten the turn; 0 if unknown"),
    Attribute(FINDING_EVIDENCE, "string[]", "", "how it is known, in sentences"),
    Attribute(CALLER_FILE_PATH, "string", "", "the file where the fix goes"),
    Attribute(CALLER_LINE_NUMBER, "int", "", "the line where the fix goes"),
)

# On a call's span that we make.
EFFECT = PREFIX + "effect"
RESOURCE = PREFIX + "resource"
DEPENDS_ON = PREFIX + "depends_on"
QUEUE_TIME = PREFIX + "queue_time"
BLOCKED = PREFIX + "blocked"
STALLED = PREFIX + "stalled"
THREAD_ID = "thread.id"
FRAMEWORK = PREFIX + "framework"
SWITCH = PREFIX + "switch"

CALL_ATTRIBUTES = (
    Attribute(EFFECT, "string", "", "declared effect: read or write"),
    Attribute(RESOURCE, "string", "", "declared resource that the call reads or writes"),
    Attribute(DEPENDS_ON, "string[]", "", "names of the tools whose result it needs"),
    Attribute(QUEUE_TIME, "double", "s", "from the wrapper being called to its body running, if 1 ms or more"),
    Attribute(BLOCKED, "double", "s", "time for which it held the event loop, in stretches of 10 ms or more"),
    Attribute(
        STALLED,
        "double",
        "s",
        "the part of such stretches in which the machine may have kept it from running; not in `blocked`",
    ),
    Attribute(THREAD_ID, "int", "", "the thread of that event loop, beside the time"),
    Attribute(FRAMEWORK, "string", "", "the framework that made the call, if it is patched"),
    Attribute(SWITCH, "string", "", "the setting that keeps the call from running beside others"),
)

# On a model request's span that we make.
REQUESTED = PREFIX + "requested"

STEP_ATTRIBUTES = (
    Attribute(REQUESTED, "string[]", "", "ids of the tool calls that the model's answer requests"),
    Attribute(SWITCH, "string", "", "the setting of the request that keeps the model from requesting several calls"),
)

# Metrics. Bucket boundaries are chosen so that 1.0, "nothing to gain" or "one after another", has a narrow bucket of
# its own: quantiles, which are interpolated, then show it as 1.
AGENT_NAME = "gen_ai.agent.name"
TOOL_NAME = "gen_ai.tool.name"
METRIC_CAUSE = PREFIX + "cause"
METRIC_ADVICE = PREFIX + "advice"
_RATIOS = (0.25, 0.5, 0.75, 0.9, 0.99, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 50.0)
_SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0)
_LENGTHS = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 50.0, 100.0)
_CALLS = (1.0, 1.5, *_LENGTHS)

METRIC_RATIO = Instrument(
    PREFIX + "ratio", "Histogram", "1", "parallelization ratio of a turn", (AGENT_NAME, VERDICT), _RATIOS
)
METRIC_EFFICIENCY = Instrument(
    PREFIX + "efficiency", "Histogram", "1", "efficiency of a turn", (AGENT_NAME, VERDICT), _SHARES
)
METRIC_EFFICIENCY_FLOOR = Instrument(
    PREFIX + "efficiency_floor",
    "Histogram",
    "1",
    "efficiency of a turn if every unknown dependence were none",
    (AGENT_NAME, VERDICT),
    _SHARES,
)
METRIC_TURN_DURATION = Instrument(
    PREFIX + "turn.duration", "Histogram", "s", "duration of a turn", (AGENT_NAME, VERDICT), _SECONDS
)
METRIC_TIME_LOST = Instrument(
    PREFIX + "time_lost",
    "Histogram",
    "s",
    "avoidable time of a finding",
    (AGENT_NAME, METRIC_CAUSE, METRIC_ADVICE),
    _SECONDS,
)
METRIC_CHAIN_LENGTH = Instrument(
    PREFIX + "chain_length",
    "Histogram",
    "{call}",
    "calls of the longest chain of a finding",
    (AGENT_NAME, METRIC_CAUSE, METRIC_ADVICE),
    _LENGTHS,
)
METRIC_FINDINGS = Instrument(
    PREFIX + "findings", "Counter", "{finding}", "findings reported", (AGENT_NAME, METRIC_CAUSE, METRIC_ADVICE)
)
METRIC_STEPS_AVOIDABLE = Instrument(
    PREFIX + "steps_avoidable",
    "Counter",
    "{step}",
    "model requests saved if independent calls were requested together",
    (AGENT_NAME,),
)
METRIC_TOKENS_AVOIDABLE = Instrument(
    PREFIX + "tokens_avoidable", "Counter", "{token}", "input tokens of those requests", (AGENT_NAME,)
)
METRIC_CALLS_PER_STEP = Instrument(
    PREFIX + "calls_per_step",
    "Histogram",
    "{call}",
    "calls per model response that asked for any, mean of a turn",
    (AGENT_NAME, VERDICT),
    _CALLS,
)
METRIC_CALL_DURATION = Instrument(
    PREFIX + "call.duration",
    "Histogram",
    "s",
    "duration of a tool call (off by default)",
    (AGENT_NAME, TOOL_NAME),
    _SECONDS,
)
METRIC_ACTIVE_TURNS = Instrument(
    PREFIX + "active_turns", "ObservableUpDownCounter", "{turn}", "turns open now", (AGENT_NAME,)
)
METRIC_ACTIVE_CALLS = Instrument(
    PREFIX + "active_calls", "ObservableUpDownCounter", "{call}", "calls open now", (AGENT_NAME,)
)
METRIC_LIVE_RATIO = Instrument(
    PREFIX + "live_ratio",
    "ObservableGauge",
    "1",
    "median ratio of the turns open now, open calls counted up to now",
    (AGENT_NAME,),
)

METRICS = (
    METRIC_RATIO,
    METRIC_EFFICIENCY,
    METRIC_EFFICIENCY_FLOOR,
    METRIC_TURN_DURATION,
    METRIC_TIME_LOST,
    METRIC_CHAIN_LENGTH,
    METRIC_FINDINGS,
    METRIC_STEPS_AVOIDABLE,
    METRIC_TOKENS_AVOIDABLE,
    METRIC_CALLS_PER_STEP,
    METRIC_CALL_DURATION,
    METRIC_ACTIVE_TURNS,
    METRIC_ACTIVE_CALLS,
    METRIC_LIVE_RATIO,
)

# OpenTelemetry GenAI names, written out: the constants of the semconv package are marked as moved.
OPERATION_NAME = "gen_ai.operation.name"
INVOKE_AGENT = "invoke_agent"
INVOKE_WORKFLOW = "invoke_workflow"
EXECUTE_TOOL = "execute_tool"
CHAT = "chat"
REQUEST_MODEL = "gen_ai.request.model"
PROVIDER_NAME = "gen_ai.provider.name"
TOOL_CALL_ID = "gen_ai.tool.call.id"
CONVERSATION_ID = "gen_ai.conversation.id"
LINK_TYPE = "gen_ai.attribution.link_type"
TOOL_CALL_ARGUMENTS = "gen_ai.tool.call.arguments"
TOOL_CALL_RESULT = "gen_ai.tool.call.result"
INPUT_MESSAGES = "gen_ai.input.messages"
SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions"
OUTPUT_MESSAGES = "gen_ai.output.messages"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
ERROR_TYPE = "error.type"

CAUSES = ("model", "dispatch", "blocking", "limit", "contention", "code", "intended", "unknown", "over_parallel")
"""The values of the attribute of a cause."""

# Environment.
ENVIRONMENT_PREFIX = "OTEL_PARALLELISM_"
CAPTURE_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

VARIABLES = (
    Variable(ENVIRONMENT_PREFIX + "<SETTING>", "any field of `Settings`, in capitals; lists separated by commas"),
    Variable(CAPTURE_CONTENT, "whether message, argument and result content may leave the process"),
)

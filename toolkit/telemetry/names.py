"""The names of spans and attributes, for those who write them (the agent) and those who read them (traces).

The root span of a run is called `run` and carries the `run` attributes below; under it lie pydantic-ai's
`invoke_agent X`, `chat M` and `execute_tool T` (instrumentation version 5) and our own steps.
"""

SERVICE_NAME = "tfkit-agent"

RUN_SPAN = "run"

# Attributes of the root span. Tokens are counts, money is US dollars.
RUN_ID = "tfkit.run_id"
STATUS = "tfkit.status"  # a contracts.RunStatus
STACK = "tfkit.stack"
MODEL = "gen_ai.request.model"  # the registry's name on the root, the provider's own on `chat` spans
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
COST_USD = "tfkit.cost_usd"  # double; absent where no price is known
TOOL_CALLS = "tfkit.tool_calls"
ATTEMPTS = "tfkit.attempts"
MODEL_RETRIES = "tfkit.model_retries"  # requests that were sent again
ERROR = "tfkit.error"
PARTS = "tfkit.parts"  # how many invocations the run took, where it took several
HANDED_OVER = "tfkit.handed_over"  # on an `invoke_agent` that the next invocation goes on with

# Attributes of our own steps: a validator, terraform, the rehearsal.
CHECK_STATUS = "tfkit.check.status"  # a contracts.CheckStatus
FINDINGS = "tfkit.findings"  # how many
VALIDATOR = "tfkit.validator"
CHECKER_FUNCTION = "tfkit.checker.function"

# Attributes that pydantic-ai sets and the reader looks at.
OPERATION = "gen_ai.operation.name"  # invoke_agent, chat, execute_tool
TOOL_NAME = "gen_ai.tool.name"
OPERATION_CHAT = "chat"
OPERATION_TOOL = "execute_tool"

WHOLE_SPAN = "tfkit.whole_span"
"""Stands alone on a span that was too large for a record: refers to the whole span as JSON."""

UNFINISHED = "the run ended before this step did"
"""The status message of a span that was still open when its run was closed."""

# Attributes that pydantic-ai sets and the metrics count.
CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS = "gen_ai.usage.cache_creation.input_tokens"
RETRY_CAUSES = ("pydantic_ai.tool.retry.cause", "pydantic_ai.output.retry.cause")

"""What a run did in numbers, counted from its spans as they end: the same that the record has."""

from collections.abc import Mapping
from dataclasses import dataclass

from toolkit.telemetry import names


@dataclass
class Counts:
    """Sums over the spans of one run. Tokens are counts, as the model's provider reported them."""

    turns: int = 0
    tool_calls: int = 0
    retries: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    def add(self, attributes: Mapping[str, object]) -> None:
        """Add a span by its attributes. A retry is a call or an answer that has to be made again."""
        operation = attributes.get(names.OPERATION)
        if operation == names.OPERATION_CHAT:
            self.turns += 1
            self.input_tokens += _number(attributes.get(names.INPUT_TOKENS))
            self.output_tokens += _number(attributes.get(names.OUTPUT_TOKENS))
            self.cache_read_tokens += _number(attributes.get(names.CACHE_READ_TOKENS))
            self.cache_write_tokens += _number(attributes.get(names.CACHE_WRITE_TOKENS))
        elif operation == names.OPERATION_TOOL:
            self.tool_calls += 1
        if any(key in attributes for key in names.RETRY_CAUSES):
            self.retries += 1
        self.retries += _number(attributes.get(names.MODEL_RETRIES))


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0

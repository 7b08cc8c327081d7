"""A sink for tests: keeps what it is given, and refuses on demand."""

from collections.abc import Sequence

from toolkit.telemetry.record import Line


class MemorySink:
    """Holds the accepted lines by run and the large texts by hash. `refuse` makes it take nothing."""

    def __init__(self) -> None:
        self.lines: dict[str, list[Line]] = {}
        self.contents: dict[str, bytes] = {}
        self.refuse = False

    def ship(self, run_id: str, lines: Sequence[Line]) -> dict[int, str]:
        """Keep the lines, unless it refuses."""
        if self.refuse:
            return {}
        self.lines.setdefault(run_id, []).extend(lines)
        return {line.seq: "memory" for line in lines}

    def put_content(self, run_id: str, sha256: str, text: bytes) -> bool:  # noqa: ARG002
        """Keep the text, unless it refuses."""
        if not self.refuse:
            self.contents[sha256] = text
        return not self.refuse

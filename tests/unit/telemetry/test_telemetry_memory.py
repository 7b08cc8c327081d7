"""A run of thousands of spans holds on to nothing that is shipped."""

import gc
import tracemalloc
from collections.abc import Sequence

from telemetry_reading import RUN

from toolkit.telemetry import names
from toolkit.telemetry.record import Line
from toolkit.telemetry.run import RunTelemetry


class Forgetting:
    """A sink that takes everything and keeps only how much it was."""

    def __init__(self) -> None:
        self.records = self.bytes = 0

    def ship(self, run_id: str, lines: Sequence[Line]) -> dict[int, str]:
        self.records += len(lines)
        self.bytes += sum(len(line.data) for line in lines)
        return {line.seq: "memory" for line in lines}

    def put_content(self, run_id: str, sha256: str, text: bytes) -> bool:
        return True


def turn(telemetry: RunTelemetry, number: int, history: list[str]) -> None:
    """A model call with all that was said before, and a tool with a result of its own."""
    history.append(f'{{"role":"user","parts":[{{"content":"{number} {"x" * 700}"}}]}}')
    said = {names.OPERATION: "chat", "gen_ai.input.messages": "[" + ",".join(history) + "]"}
    telemetry.tracer.start_span("chat m", attributes=said).end()
    done = {names.OPERATION: "execute_tool", "gen_ai.tool.call.result": f"{number} " + "y" * 700}
    telemetry.tracer.start_span("execute_tool look", attributes=done).end()


def test_thousands_of_spans_leave_only_hashes():
    sink = Forgetting()
    telemetry = RunTelemetry(RUN, "dev", sink)
    history: list[str] = []

    def turns(first: int, last: int) -> None:
        for number in range(first, last):
            turn(telemetry, number, history)
            del history[:-3]
            telemetry.flush()

    with telemetry.run_span():
        turns(0, 1500)
        shipped = sink.bytes
        tracemalloc.start()
        try:
            turns(1500, 1600)
            gc.collect()
            held = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
    telemetry.close()
    assert telemetry.counts.turns == 1600
    # Three hashes a turn, with their places in a table that may just have grown; and the last lists.
    assert held < 100 * 3 * 200 + 20_000
    assert held < (sink.bytes - shipped) / 3
    assert telemetry._recorder._spans == []
    assert telemetry._outbox == []


def test_the_thread_that_ships_ends_with_the_run():
    sink = Forgetting()
    telemetry = RunTelemetry(RUN, "dev", sink, background=True)
    with telemetry.run_span():
        for number in range(20):
            turn(telemetry, number, [])
    receipt = telemetry.close()
    shipper = telemetry._shipper
    assert shipper is not None
    shipper.join(30)
    assert not shipper.is_alive()
    assert receipt.records == sink.records


def test_without_a_flush_of_ones_own_a_turn_is_shipped_when_it_is_over():
    sink = Forgetting()
    telemetry = RunTelemetry(RUN, "dev", sink, background=True)
    with telemetry.run_span():
        turn(telemetry, 0, [])
        assert telemetry._shipper is not None
        for _ in range(3000):
            if sink.records:
                break
            telemetry._shipper.join(0.01)
        assert sink.records, "nothing was shipped before the end"
    telemetry.close()

"""Runs that nobody made, in the form in which Firehose delivers them: gzip objects by day, in a local folder.

    python tests/bench/traces/generate.py FOLDER SPANS [DAYS]

A run has 12 to 40 spans with the attributes that pydantic-ai and tfkit set, and texts of 2 to 30 KB; lines
are packed and chained by tfkit's own writer. The days end today.
"""

import json
import random
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from isal import igzip

from toolkit.tables import ALPHABET
from toolkit.telemetry import attempts, keys, names, otlp
from toolkit.telemetry.contents import Contents
from toolkit.telemetry.record import NEW_CHAIN, Chain, Content, EncodedSpan, Scope, pack

SPANS_AN_OBJECT = 142
MODELS = ("haiku", "sonnet", "mistral-large", "devstral-small")
TOOLS = ("write_file", "read_file", "edit_file", "list_files", "terraform_validate", "run_validators")
RULES = (
    ("checkov", "CKV_AWS_18"),
    ("checkov", "CKV_AWS_144"),
    ("tflint", "aws_instance_type"),
    ("fmt", "fmt"),
)
SCOPE = Scope("pydantic-ai", "2.68.0")
OWN = Scope("tfkit", "0.1.0")
S = 10**9

VOCABULARY = (
    "resource aws_s3_bucket aws_iam_role aws_lambda_function variable output module description "
    "type default count each depends_on lifecycle tags Name Environment team versioning "
    "encryption kms_key_id bucket policy Statement Effect Allow Action Resource Principal "
    "Service true false enabled status rule expiration days"
)
WORDS = VOCABULARY.split()


def corpus(rng: random.Random, size: int = 2_000_000) -> str:
    """Text that looks like Terraform and compresses like it: some lines come again and again."""
    lines: list[str] = []
    for _ in range(4_000):
        name, value, words = rng.choice(WORDS), rng.choice(WORDS), " ".join(rng.choices(WORDS, k=4))
        lines.append(f'{"  " * rng.randrange(4)}{name}_{rng.randrange(100)} = "{value}" # {words}\n')
    return "".join(rng.choices([*lines, *lines[:400] * 20], k=size // 50))


class Maker:
    """Makes the lines of runs, one after another."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.corpus = corpus(random.Random(1))

    def text(self) -> str:
        """A text of 2 to 30 KB that no other is equal to; every second one is but a line."""
        if self.rng.random() < 0.5:
            return self.rng.choice(WORDS)
        length = self.rng.randrange(2_000, 30_000)
        start = self.rng.randrange(len(self.corpus) - length)
        return f"{self.rng.getrandbits(64):016x} " + self.corpus[start : start + length]

    def run(self, began_ns: int) -> tuple[bytes, int]:
        """The lines of a run that began then, and how many spans it has."""
        rng = self.rng
        run_id = "".join(ALPHABET[began_ns // 10**6 >> shift & 31] for shift in range(40, -1, -5))
        run_id += "".join(rng.choices(ALPHABET, k=7))
        resource = otlp.encode({"attributes": otlp.attributes({names.RUN_ID: run_id}, lambda _k, text: text)})
        chain = Chain(run_id, resource, NEW_CHAIN)
        contents = Contents()
        spans = list(self._spans(run_id, began_ns, rng.randrange(12, 41), contents))
        units: list[Content | EncodedSpan] = [*contents.fresh, *spans]
        drafts = pack(units, chain.overhead)
        lines = [chain.seal(draft, draft is drafts[-1]).data for draft in drafts]
        return b"".join(lines), len(spans)

    def _spans(self, run_id: str, began: int, count: int, contents: Contents) -> Iterator[EncodedSpan]:
        rng = self.rng
        trace_id = f"{rng.getrandbits(128):032x}"
        root, agent = f"{rng.getrandbits(64):016x}", f"{rng.getrandbits(64):016x}"
        model, tries = rng.choice(MODELS), rng.choice((1, 1, 1, 2, 3))
        status = rng.choices(("ok", "not_converged", "error"), (90, 7, 3))[0]

        def span(
            name: str, parent: str, start: int, end: int, found: dict, span_id: str = "", scope: Scope = SCOPE
        ):
            data = {
                "traceId": trace_id,
                "spanId": span_id or f"{rng.getrandbits(64):016x}",
                "parentSpanId": parent,
                "name": name,
                "kind": 1,
                "startTimeUnixNano": str(start),
                "endTimeUnixNano": str(end),
                "attributes": otlp.attributes(found, contents.place),
                "status": {"code": 2 if "error" in found.values() else 0},
            }
            return EncodedSpan(scope, otlp.encode(data))

        at, tokens_in, tokens_out, tools = began + S // 100, 0, 0, 0
        steps = count - 2 - tries
        for step in range(steps):
            took = rng.randrange(S // 100, 4 * S)
            if step % 2 == 0:
                used = (rng.randrange(500, 20_000), rng.randrange(20, 2_000))
                tokens_in, tokens_out = tokens_in + used[0], tokens_out + used[1]
                yield span(f"chat {model}", agent, at, at + took, self._chat(run_id, model, *used))
            elif step % 6 == 5:
                found = {"tfkit.validator": "tflint", "tfkit.status": "ok", names.FINDINGS: 0}
                yield span("validator tflint", root, at, at + took, found, scope=OWN)
            else:
                tools += 1
                yield span("execute_tool", agent, at, at + took, self._tool(run_id))
            at += took
        for number in range(1, tries + 1):
            good = number == tries and status == "ok"
            yield span(f"{attempts.SPAN} {number}", root, began, at, self._attempt(number, good), scope=OWN)
        found = {
            names.OPERATION: "invoke_agent",
            "gen_ai.agent.name": "terraform",
            "gen_ai.conversation.id": run_id,
        }
        yield span("invoke_agent terraform", root, began, at, found, agent)
        found = {
            names.RUN_ID: run_id,
            names.STACK: "dev",
            names.STATUS: status,
            names.MODEL: model,
            names.INPUT_TOKENS: tokens_in,
            names.OUTPUT_TOKENS: tokens_out,
            names.TOOL_CALLS: tools,
            names.ATTEMPTS: tries,
            names.COST_USD: tokens_in * 1e-6 + tokens_out * 5e-6,
        }
        yield span(names.RUN_SPAN, "", began, at, found, root, OWN)

    def _chat(self, run_id: str, model: str, tokens_in: int, tokens_out: int) -> dict:
        return {
            names.OPERATION: "chat",
            "gen_ai.provider.name": "aws.bedrock",
            names.MODEL: f"eu.anthropic.{model}",
            "gen_ai.response.model": f"eu.anthropic.{model}",
            "gen_ai.conversation.id": run_id,
            "gen_ai.agent.name": "terraform",
            "server.address": "bedrock-runtime.eu-central-1.amazonaws.com",
            "gen_ai.request.max_tokens": 16_384,
            "gen_ai.response.finish_reasons": ["tool_call"],
            names.INPUT_TOKENS: tokens_in,
            names.OUTPUT_TOKENS: tokens_out,
            "gen_ai.input.messages": self.text(),
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"done"}]}]',
        }

    def _tool(self, run_id: str) -> dict:
        return {
            names.OPERATION: "execute_tool",
            names.TOOL_NAME: self.rng.choice(TOOLS),
            "gen_ai.tool.call.id": f"tooluse_{self.rng.getrandbits(96):024x}",
            "gen_ai.conversation.id": run_id,
            "gen_ai.tool.call.arguments": '{"path":"main.tf"}',
            "gen_ai.tool.call.result": self.text(),
        }

    def _attempt(self, number: int, good: bool) -> dict:
        found = []
        if not good:
            found = [
                {
                    "validator": validator,
                    "rule": rule,
                    "severity": "medium",
                    "message": "not so",
                    "file": "main.tf",
                    "line": 3,
                }
                for validator, rule in self.rng.choices(RULES, k=self.rng.randrange(1, 6))
            ]
        return {
            attempts.NUMBER: number,
            attempts.TREE: f"sha256:{self.rng.getrandbits(256):064x}",
            attempts.VALIDATORS: json.dumps(
                {"fmt": "ok", "validate": "ok", "checkov": "ok" if good else "findings"}
            ),
            attempts.FINDINGS: json.dumps(found),
            names.INPUT_TOKENS: self.rng.randrange(500, 20_000),
            names.OUTPUT_TOKENS: self.rng.randrange(20, 2_000),
        }


def day_of_objects(folder: Path, day: date, spans: int, latest: datetime) -> int:
    """Write a day of about so many spans, none of them after `latest`; returns how many they are."""
    maker = Maker(day.toordinal())
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    length = min(86_400.0, (latest - midnight).total_seconds())
    target = folder / keys.partition(day)
    target.mkdir(parents=True, exist_ok=True)
    objects = max(round(spans / SPANS_AN_OBJECT), 1)
    total = 0
    for number in range(objects):
        body, held = b"", 0
        arrived = midnight + timedelta(seconds=length * (number + 1) / objects)
        while held < SPANS_AN_OBJECT and total + held < spans:
            began = arrived - timedelta(seconds=maker.rng.uniform(1, length / objects))
            lines, count = maker.run(int(began.timestamp() * 1000) * 10**6)
            body, held = body + lines, held + count
        name = f"delivery-1-{arrived:%Y-%m-%d-%H-%M-%S}-{number:06d}.gz"
        (target / name).write_bytes(igzip.compress(body, 3))
        total += held
    return total


def generate(folder: Path, spans: int, days: int = 30, processes: int = 2) -> int:
    """Fill the folder with that many spans over the last days (UTC); returns how many they became."""
    now = datetime.now(UTC)
    today = now.date()
    each = [today - timedelta(days=number) for number in range(days)]
    with ProcessPoolExecutor(processes) as pool:
        counts = pool.map(
            day_of_objects, [folder] * days, each, [spans // days] * days, [now] * days, chunksize=1
        )
        return sum(counts)


if __name__ == "__main__":
    print(generate(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 30))

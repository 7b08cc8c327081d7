"""A run that was `ok`, and its statement."""

import msgspec

from toolkit import statement
from toolkit.contracts import (
    Attempt,
    CheckResult,
    Finding,
    ProviderUsed,
    RunResult,
    SkippedCheck,
    Tool,
    Tree,
    Usage,
)

TREE = Tree(files={"main.tf": b"# a\n", "modules/a/b.tf": b"# b\n"})
AWS = ProviderUsed(source="registry.terraform.io/hashicorp/aws", version="5.100.0", hashes=["h1:x="])
LOW = Finding(validator="tflint", rule="r", severity="low", message="m")
RESULT = RunResult(
    run_id="run-00000001",
    status="ok",
    model="haiku",
    prompt="a bucket with a secret in its prompt",
    output="done",
    files=TREE.entries,
    attempts=[Attempt(n=n, tree=TREE.hash, validators={}) for n in (1, 2)],
    usage=Usage(requests=3, input_tokens=10, output_tokens=5, cost_usd=0.25),
    checks=[
        CheckResult(validator="fmt", status="ok", tool=Tool(name="terraform", version="1.11.4")),
        CheckResult(validator="tflint", status="findings", findings=[LOW]),
    ],
    skipped=[SkippedCheck(validator="checkov", reason="not installed")],
    not_proven=["nothing was applied"],
    sandbox="landlock",
)


def made(brought="", **changes):
    result = msgspec.structs.replace(RESULT, **changes)
    return statement.make(result, "dev", "arn:aws:iam::1:user/a", "2026-11-21T00:00:00.000Z", [AWS], brought)

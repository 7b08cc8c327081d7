"""The conversation: the composer in a loop with the agent's tools, and a gate as the host has it."""

import json
from collections.abc import Callable

import pytest

from toolkit.local.model.composer import complete
from toolkit.local.model.turns import MOST_TURNS

TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {}}}
    for name in (
        "list_files",
        "read_file",
        "write_file",
        "edit_file",
        "delete_file",
        "terraform_init",
        "terraform_validate",
        "run_validators",
    )
]
TAG_MISSING = (
    "The gate did not pass.\nvariables.tf:7: medium [policy/tags] resource misses the required tag CostCenter"
)
BUCKET = "an s3 bucket named acme-orders with 30-day lifecycle"


class Agent:
    """Runs the composer's tool calls on files in memory; `check` gives the text of a check."""

    def __init__(
        self, files: dict[str, str] | None = None, check: Callable[[str, "Agent"], str] | None = None
    ) -> None:
        self.files = dict(files or {})
        self.check = check or (lambda tool, agent: "ok")
        self.messages: list[dict[str, object]] = []
        self.called: list[str] = []

    def ask(self, text: str) -> str:
        """One turn of the user up to the closing text."""
        self.messages.append({"role": "user", "content": text})
        for _ in range(MOST_TURNS + 5):
            answer = complete({"model": "arn:x", "messages": self.messages, "tools": TOOLS})
            message = answer["choices"][0]["message"]
            self.messages.append(message)
            assert answer["usage"]["prompt_tokens"] > 0
            if not message.get("tool_calls"):
                return message["content"]
            for call in message["tool_calls"]:
                self.run(call)
        raise AssertionError("the composer goes on for ever")

    def run(self, call: dict) -> None:
        name, arguments = call["function"]["name"], json.loads(call["function"]["arguments"])
        self.called.append(name)
        if name == "list_files":
            result = "\n".join(sorted(self.files)) or "(no files)"
        elif name == "read_file":
            result = self.files[arguments["path"]]
        elif name == "write_file":
            self.files[arguments["path"]] = arguments["content"]
            result = "written"
        else:
            result = self.check(name, self)
        self.messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})


def test_a_clean_run_writes_initialises_validates_and_says_who_it_is() -> None:
    agent = Agent()
    text = agent.ask(BUCKET)
    assert agent.called[0] == "list_files"
    assert agent.called[-2:] == ["terraform_init", "terraform_validate"]
    assert 'bucket = "acme-orders"' in agent.files["s3.tf"]
    assert "offline-composer, which is no language model" in text
    assert "acme-orders" in text
    assert "expire days 30" in text
    assert "us-east-1 (assumed)" in text


def test_call_ids_are_unique_over_the_conversation() -> None:
    agent = Agent()
    agent.ask(BUCKET)
    agent.ask("an sqs queue")
    ids = [call["id"] for m in agent.messages for call in m.get("tool_calls") or []]
    assert len(ids) == len(set(ids)) > 10


@pytest.mark.parametrize(
    ("prompt", "lacks"),
    [
        ("an OpenSearch domain and an s3 bucket", "OpenSearch domain"),
        ("cloudfront in front of a bucket, with route 53", "CloudFront distribution"),
        ("lambda behind a REST API", "REST API"),
        (
            "a fargate service with a load balancer, neptune and redis",
            "ECS service, Neptune cluster",
        ),
    ],
)
def test_a_prompt_with_something_unknown_is_refused_as_a_whole(prompt: str, lacks: str) -> None:
    agent = Agent()
    text = agent.ask(prompt)
    assert f"I have no recipe for: {lacks}." in text
    assert "tfkit up --llm http://127.0.0.1:11434/v1 --llm-model NAME" in text
    assert not agent.files


def test_a_prompt_without_any_resource_writes_nothing_and_names_the_way_out() -> None:
    agent = Agent()
    text = agent.ask("write me a poem")
    assert "S3 bucket" in text and "--llm" in text
    assert not agent.called


def test_what_is_there_already_is_neither_overwritten_nor_declared_again() -> None:
    before = {
        "versions.tf": 'terraform {\n}\n\nprovider "aws" {\n}\n',
        "storage.tf": 'resource "aws_s3_bucket" "acme_invoices" {\n}\n',
    }
    agent = Agent(before)
    agent.ask(BUCKET)
    assert agent.files["versions.tf"] == before["versions.tf"]
    assert agent.files["storage.tf"].startswith(before["storage.tf"])
    assert 'resource "aws_s3_bucket" "acme_orders"' in agent.files["storage.tf"]
    assert agent.called.count("read_file") == 2
    assert not any("provider" in text for path, text in agent.files.items() if path not in before)


def test_what_is_asked_for_by_a_name_that_is_taken_is_refused_and_not_made_twice() -> None:
    before = {"s3.tf": 'resource "aws_s3_bucket" "acme_orders" {\n}\n'}
    agent = Agent(before)
    assert "has this already: aws_s3_bucket.acme_orders" in agent.ask(BUCKET)
    by_name = {"s3.tf": 'resource "aws_s3_bucket" "this" {\n  bucket = "acme-orders"\n}\n'}
    other = Agent(by_name)
    assert 'has this already: aws_s3_bucket "acme-orders"' in other.ask(BUCKET)
    assert (agent.files, other.files) == (before, by_name)


def test_the_files_of_a_module_below_are_neither_read_nor_taken_for_declared() -> None:
    agent = Agent(
        {"main.tf": "locals {\n}\n", "modules/x/main.tf": 'resource "aws_s3_bucket" "acme_orders" {\n}\n'}
    )
    agent.ask(BUCKET)
    assert agent.called.count("read_file") == 1
    assert 'resource "aws_s3_bucket" "acme_orders"' in agent.files["s3.tf"]


def test_findings_that_no_mend_is_known_for_end_in_a_text() -> None:
    finding = "s3.tf:3: high [validate/error] Something that nobody knows (hint: none)"
    agent = Agent(check=lambda tool, agent: finding if tool == "terraform_validate" else "ok")
    text = agent.ask(BUCKET)
    assert "I could not finish" in text
    assert "Something that nobody knows" in text
    assert agent.called.count("terraform_validate") == 1


def test_an_undeclared_variable_is_declared_and_the_checks_run_again() -> None:
    def check(tool: str, agent: Agent) -> str:
        if tool == "terraform_validate" and 'variable "owner"' not in agent.files["s3.tf"]:
            return 's3.tf:3: high [validate/error] Reference to undeclared input variable: named "owner"'
        return "ok: clean"

    agent = Agent(check=check)
    text = agent.ask(BUCKET)
    assert 'variable "owner"' in agent.files["s3.tf"]
    assert "could not" not in text
    assert agent.called.count("terraform_validate") == 2


def test_the_same_findings_after_a_mend_end_in_a_text() -> None:
    finding = 's3.tf:3: high [validate/error] Reference to undeclared input variable: named "owner"'
    agent = Agent(check=lambda tool, agent: finding if tool == "terraform_validate" else "ok")
    text = agent.ask(BUCKET)
    assert "the same findings came back" in text
    assert agent.called.count("terraform_validate") == 2


def test_the_gate_is_heard_and_its_findings_are_mended() -> None:
    agent = Agent()
    agent.ask(BUCKET)
    agent.called.clear()
    text = agent.ask(TAG_MISSING)
    assert agent.called == ["read_file", "write_file", "terraform_init", "terraform_validate"]
    assert 'CostCenter = "unset"' in agent.files["variables.tf"]
    assert "variables.tf" in text
    again = agent.ask(TAG_MISSING)
    assert "the same findings came back" in again


def test_a_gate_that_says_something_unknown_gets_a_plain_no() -> None:
    agent = Agent()
    agent.ask(BUCKET)
    text = agent.ask(
        "The gate did not pass.\n- s3.tf:1: high [checkov/CKV_AWS_18] no access logging (hint: add it)"
    )
    assert "it knows no mend" in text
    assert "CKV_AWS_18" in text


def test_a_check_that_a_recipe_fails_by_intent_is_told_with_its_reason() -> None:
    agent = Agent()
    agent.ask("an EFS file system")
    text = agent.ask("The gate did not pass.\n- efs.tf:1: medium [checkov/CKV_AWS_184] no CMK (hint: add it)")
    assert "(by intent: a key of one's own costs money: ask for a KMS key)" in text


def test_an_init_that_fails_is_told() -> None:
    agent = Agent(check=lambda tool, agent: "no provider can be had" if tool == "terraform_init" else "ok")
    text = agent.ask(BUCKET)
    assert "no provider can be had" in text
    assert "terraform_validate" not in agent.called


def test_results_are_found_by_id_where_the_emulator_puts_a_text_before_them() -> None:
    agent = Agent()
    agent.ask(BUCKET)
    shuffled = [m for m in agent.messages if m["role"] != "tool"][:-1]
    shuffled += [m for m in agent.messages if m["role"] == "tool"]
    answer = complete({"model": "arn:x", "messages": shuffled, "tools": TOOLS})
    assert "offline-composer" in answer["choices"][0]["message"]["content"]


def test_without_tools_it_says_so() -> None:
    answer = complete({"model": "x", "messages": [{"role": "user", "content": [{"text": BUCKET}]}]})
    assert "tools that were not offered" in answer["choices"][0]["message"]["content"]
    assert answer["choices"][0]["finish_reason"] == "stop"


def test_the_same_history_gives_the_same_answer() -> None:
    request = {"model": "x", "messages": [{"role": "user", "content": BUCKET}], "tools": TOOLS}
    assert complete(request)["choices"] == complete(request)["choices"]


@pytest.mark.parametrize(
    "request_", [{}, {"messages": None}, {"messages": [1, {"role": "user"}], "tools": 3}]
)
def test_a_request_of_any_shape_is_answered(request_: dict) -> None:
    assert "offline-composer" in complete(request_)["choices"][0]["message"]["content"]


def test_a_prompt_that_is_too_long_is_refused_and_not_cut() -> None:
    agent = Agent()
    assert "up to 2000 characters" in agent.ask(BUCKET + " and" * 6000)
    assert not agent.files


def test_a_written_source_that_the_workspace_refuses_is_told_and_does_not_stop_the_run() -> None:
    class Strict(Agent):
        def run(self, call: dict) -> None:
            super().run(call)
            arguments = json.loads(call["function"]["arguments"])
            if arguments.get("path", "").endswith(".py"):
                self.messages[-1]["content"] = "no such name is allowed\n\nFix the errors and try again."

    agent = Strict()
    text = agent.ask("a lambda function called worker")
    assert agent.called[-1] == "terraform_validate"
    assert "src/worker/index.py was refused" in text

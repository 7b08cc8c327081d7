"""Runs that outlast what carries them: the function's own time, and the connection that follows them."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from driver import Tfkit
from faulty_proxy import CUT, FaultyProxy

from toolkit.agent.relay import RESERVE_SECONDS
from toolkit.client import Client, new_run_id
from toolkit.cloud import Cloud
from toolkit.contracts import AskRequest, StackOutputs

MAIN = """terraform {
  required_version = ">= 1.6"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

resource "aws_sqs_queue" "orders" {
  name = "orders"
}
"""


class Model(ThreadingHTTPServer):
    """Writes one file and is done. What stands in `before` is done before it answers after that."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.before: list[Any] = []
        self.asked: list[list[dict[str, Any]]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def answer(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        self.asked.append(messages)
        if messages[-1]["role"] == "tool":
            if self.before:
                self.before.pop(0)()
            return {"content": "One queue."}
        arguments = json.dumps({"path": "main.tf", "content": MAIN})
        call = {"id": "1", "type": "function", "function": {"name": "write_file", "arguments": arguments}}
        return {"content": None, "tool_calls": [call]}


class Handler(BaseHTTPRequestHandler):
    server: Model

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        message = {"role": "assistant", **self.server.answer(request["messages"])}
        choice = {"message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 5, "completion_tokens": 3}
        body = json.dumps({"choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    server = Model()
    yield server
    server.shutdown()


@pytest.fixture(scope="module")
def tfkit(home: Path, model: Model) -> Tfkit:
    return Tfkit(home, TFKIT_VALIDATOR_NAMES="fmt", TFKIT_LLM_TIMEOUT_S="60")


@pytest.fixture(scope="module")
def outputs(tfkit: Tfkit, model: Model) -> StackOutputs:
    address = f"http://127.0.0.1:{model.server_port}/v1"
    return StackOutputs(**tfkit.json("up", "--llm", address, "--llm-model", "slow")["outputs"])


class ByProxy(Cloud):
    """The local target, by a proxy that a test can cut."""

    proxy = ""

    def _config(self) -> Config:
        return super()._config().merge(Config(proxies={"http": self.proxy}))


def test_a_run_whose_connection_is_cut_is_followed_to_its_end(
    tfkit: Tfkit, outputs: StackOutputs, model: Model
) -> None:
    proxy, running, cuts = FaultyProxy(), tfkit.running(), []
    cloud = ByProxy(
        "local", "us-east-1", "0" * 12, endpoint=running.endpoint, key=running.key, secret=running.secret
    )
    ByProxy.proxy = proxy.url

    def cut() -> None:
        proxy.rule = lambda call: CUT

    def noticed(error: Exception) -> None:
        cuts.append(error)
        proxy.rule = lambda call: None

    model.before = [cut]
    client, request = Client(cloud, outputs), AskRequest(run_id=new_run_id(), prompt="a queue")
    try:
        client.submit(request)
        record = client.follow(request.run_id, lambda _record: None, on_cut=noticed)
        result = client.result(request.run_id)
    finally:
        proxy.stop()
    assert len(cuts) == 1
    assert (record.status, result.status) == ("ok", "ok")


def test_a_run_that_takes_longer_than_the_function_may_goes_on_in_the_next_invocation(
    tfkit: Tfkit, outputs: StackOutputs, model: Model
) -> None:
    function, over = tfkit.client("lambda"), threading.Event()
    known = function.get_function_configuration(FunctionName=outputs.function_name)["Timeout"]
    function.update_function_configuration(
        FunctionName=outputs.function_name, Timeout=int(RESERVE_SECONDS) + 6
    )
    model.before, model.asked = [lambda: over.wait(40)], []
    try:
        result = tfkit.json("ask", "a queue named orders", "-o", "long")
    finally:
        over.set()
        function.update_function_configuration(FunctionName=outputs.function_name, Timeout=known)
    assert (result["status"], result["parts"]) == ("ok", 2)
    assert (tfkit.home / "long" / "main.tf").read_text() == MAIN
    assert len(model.asked) == 3  # the second request was cut off, and sent again
    assert model.asked[1] == model.asked[2]
    assert result["usage"]["requests"] == 2
    (row,) = [row for row in tfkit.json("traces", "--since", "1h") if row["run_id"] == result["run_id"]]
    assert (row["status"], row["trace_id"]) == ("ok", result["trace_id"])
    assert tfkit.json("audit", "verify")["problems"] == []

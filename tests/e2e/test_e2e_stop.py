"""The brake, pulled while a model hangs: what runs ends with what it had; nothing begins until `up`."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest
from driver import Tfkit

from toolkit.contracts import AskRequest, StackOutputs, to_json
from toolkit.tables import new_run_id

pytestmark = pytest.mark.thorough


LONG = 60.0  # of a wait that ends in two or three seconds on a quiet machine

WRITE = {
    "id": "1",
    "type": "function",
    "function": {"name": "write_file", "arguments": json.dumps({"path": "main.tf", "content": "# begun\n"})},
}


class Hanging(BaseHTTPRequestHandler):
    """A model that writes one file and is never heard of again."""

    asked = Event()
    gone = Event()

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if request["messages"][-1]["role"] == "tool":
            self.asked.set()
            self.gone.wait(LONG)
            return
        message = {"role": "assistant", "content": None, "tool_calls": [WRITE]}
        usage = {"prompt_tokens": 5, "completion_tokens": 3}
        body = json.dumps(
            {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}
        ).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def tfkit(home: Any) -> Iterator[Tfkit]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hanging)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    command = Tfkit(home, TFKIT_LLM_TIMEOUT_S="300")
    command.json("up", "--llm", f"http://127.0.0.1:{server.server_port}/v1", "--llm-model", "hanging")
    yield command
    Hanging.gone.set()
    server.shutdown()
    server.server_close()


def begin(tfkit: Tfkit) -> str:
    """A run whose model hangs."""
    Hanging.asked.clear()
    run_id = tfkit.json("ask", "a queue", "--detach")["run_id"]
    assert Hanging.asked.wait(LONG), "the model was not asked"
    return run_id


def ended(tfkit: Tfkit, run_id: str) -> dict[str, Any]:
    """What is stored of the run, once its worker has stored it."""
    s3, bucket = tfkit.client("s3"), tfkit.json("status")["outputs"]["runs_bucket"]
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline:
        found = s3.list_objects_v2(Bucket=bucket, Prefix=f"runs/{run_id}/result.json")
        if found["KeyCount"]:
            return tfkit.json("runs", "show", run_id)
        time.sleep(0.1)
    raise AssertionError("nothing was stored")


def test_a_run_whose_model_hangs_is_cancelled_with_what_it_had(tfkit: Tfkit) -> None:
    run_id = begin(tfkit)
    assert tfkit.json("runs", "cancel", run_id) == {"run_id": run_id, "status": "cancelled", "how": "ended"}
    result = ended(tfkit, run_id)
    assert (result["status"], result["error"]) == ("cancelled", "cancelled on request")
    assert [file["path"] for file in result["files"]] == ["main.tf"]
    assert result["usage"]["requests"] == 1
    (row,) = [row for row in tfkit.json("traces", "--errors") if row["run_id"] == run_id]
    assert row["status"] == "cancelled"
    assert tfkit.json("runs", "cancel", run_id)["how"] == "before"


def test_whoever_follows_a_cancelled_run_is_told(tfkit: Tfkit) -> None:
    Hanging.asked.clear()
    asking = subprocess.Popen(
        [sys.executable, "-m", "toolkit", "--json", "ask", "a queue", "--run-id", "the-followed-run"],
        env=tfkit.environment, cwd=tfkit.home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert Hanging.asked.wait(LONG), "the model was not asked"
    tfkit.json("runs", "cancel", "the-followed-run")
    out, _ = asking.communicate(timeout=LONG)
    assert asking.returncode == 1
    assert json.loads(out)["status"] == "cancelled"


def test_what_cannot_be_cancelled_says_why(tfkit: Tfkit) -> None:
    assert "no run has the id" in tfkit.json("runs", "cancel", "nobody-knows-it", code=1)["error"]
    run_id = tfkit.json("ask", "a queue named orders", "-m", "offline-composer", "-x")["run_id"]
    assert "had ended" in tfkit.json("runs", "cancel", run_id, code=1)["error"]


def test_the_brake_holds_until_up_releases_it(tfkit: Tfkit) -> None:
    outputs = StackOutputs(**tfkit.json("status")["outputs"])
    waiting = AskRequest(run_id=new_run_id(), prompt="a queue", model="offline-composer")  # Lambda has it
    run_id = begin(tfkit)
    stopped = tfkit.json("stop")
    assert stopped["stopped"] is True and stopped["cancelled"] == [run_id]
    assert {"target", "account", "region", "stack", "seconds"} < stopped.keys()
    assert ended(tfkit, run_id)["status"] == "cancelled"

    refused = tfkit.json("ask", "a queue", "-m", "offline-composer", code=1)
    assert "was stopped" in refused["error"] and "tfkit up" in refused["hint"]
    assert tfkit.json("stop")["cancelled"] == []

    tfkit.json("up")
    tfkit.client("lambda").invoke(
        FunctionName=outputs.function_name, InvocationType="Event", Payload=to_json(waiting)
    )
    late = ended(tfkit, waiting.run_id)
    assert (late["status"], late["usage"]["requests"]) == ("cancelled", 0)
    assert "asked for before" in late["error"]
    assert tfkit.json("ask", "a queue named orders", "-m", "offline-composer", "-x")["status"] == "ok"

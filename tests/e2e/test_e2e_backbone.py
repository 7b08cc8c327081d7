"""The backbone, without any of the platform: the first thing that was shown to work.

Emulator with IAM enforced → a Zip Lambda that imports the installed package → Bedrock through an
application inference profile → our OpenAI-compatible server → a tool call → back.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest

from toolkit.emulator import Emulator
from toolkit.local.model.server import ModelServer

MODEL = "tfkit.offline-composer-v1"

FUNCTION = """
import boto3
from toolkit.agent.models import build
from toolkit.contracts import ModelEntry
from pydantic_ai import Agent

def handler(event, context):
    entry = ModelEntry(provider="bedrock", id=event["id"], profile=event["profile"])
    model = build(entry, boto3.client("bedrock-runtime"))
    agent = Agent(model)

    @agent.tool_plain
    def whoami() -> str:
        return boto3.client("sts").get_caller_identity()["Arn"]

    result = agent.run_sync("who are you?")
    return {"output": result.output, "tokens": result.usage.input_tokens}
"""


class Upstream(BaseHTTPRequestHandler):
    """A model that calls a tool, and then repeats what the tool said."""

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert request["model"] == "scripted", "the emulator's ARN must not reach a real server"
        last = request["messages"][-1]
        message: dict[str, Any] = {"role": "assistant", "content": f"I am {last['content']}"}
        if last["role"] != "tool":
            call = {"id": "1", "type": "function", "function": {"name": "whoami", "arguments": "{}"}}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        body = json.dumps(
            {
                "choices": [{"message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 11, "completion_tokens": 7},
            }
        ).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def upstream() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()


def test_a_function_reaches_a_model_through_a_profile_and_its_tool_runs_under_its_role(
    tmp_path: Path, upstream: str
) -> None:
    routes = tmp_path / "routes.json"
    models = ModelServer(routes)
    emulator = Emulator(tmp_path / "emulator", bedrock_url=models.start())
    emulator.start()
    try:
        profile, answer = _ask(emulator, routes, upstream)
    finally:
        emulator.stop()
        models.stop()
    assert answer == {"output": "I am arn:aws:sts::000000000000:assumed-role/agent/probe", "tokens": 22}
    assert ":application-inference-profile/" in profile


def _ask(emulator: Emulator, routes: Path, upstream: str) -> tuple[str, dict[str, Any]]:
    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=emulator.endpoint,
            region_name="us-east-1",
            aws_access_key_id=emulator.key,
            aws_secret_access_key=emulator.secret,
        )

    source = f"arn:aws:bedrock:us-east-1::foundation-model/{MODEL}"
    made = client("bedrock").create_inference_profile(
        inferenceProfileName="p", modelSource={"copyFrom": source}
    )
    profile = made["inferenceProfileArn"]
    routes.write_text(json.dumps({profile: {"kind": "openai", "url": upstream, "model": "scripted"}}))
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allow = {"Effect": "Allow", "Action": ["bedrock:Converse", "bedrock:ConverseStream"], "Resource": "*"}
    iam = client("iam")
    role = iam.create_role(
        RoleName="agent", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    iam.put_role_policy(
        RoleName="agent",
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", FUNCTION)
    functions = client("lambda")
    functions.create_function(
        FunctionName="probe",
        Runtime="python3.11",
        Role=role["Role"]["Arn"],
        Handler="index.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=60,
    )
    reply = functions.invoke(FunctionName="probe", Payload=json.dumps({"id": MODEL, "profile": profile}))
    return profile, json.loads(reply["Payload"].read())

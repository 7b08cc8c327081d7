"""CodeBuild, scripted: what it is asked, what of it is told, how it fails and how it is stopped."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from toolkit.deploy.image_codebuild import CodeBuild
from toolkit.errors import DeployFailed


class ScriptedClient:
    """Stands in for CodeBuild and CloudWatch Logs: answers from lists, and remembers what it was asked."""

    class exceptions:  # noqa: N801 - as botocore's clients have it
        class ResourceNotFoundException(Exception):
            pass

    def __init__(self, **answers: list[Any]) -> None:
        self._answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            self.asked.append((name, request))
            answer = self._answers[name].pop(0)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return call


class ScriptedCloud:
    def __init__(self, **clients: ScriptedClient) -> None:
        self._clients = clients

    def client(self, service: str) -> Any:
        return self._clients[service]


WHERE = {"groupName": "g", "streamName": "s", "deepLink": "https://console/log"}


def build_of(status: str, phase: str, **more: Any) -> dict[str, Any]:
    return {"builds": [{"id": "p:1", "buildStatus": status, "currentPhase": phase, "logs": WHERE, **more}]}


def page(token: str, *lines: str) -> dict[str, Any]:
    return {"events": [{"message": line + "\n"} for line in lines], "nextForwardToken": token}


def refused(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "StartBuild")


def scripted(codebuild: ScriptedClient, logs: ScriptedClient) -> tuple[CodeBuild, list[str]]:
    lines: list[str] = []
    cloud: Any = ScriptedCloud(s3=ScriptedClient(put_object=[{}]), codebuild=codebuild, logs=logs)
    return CodeBuild(cloud, "p", "bucket", lines.append, sleep=lambda _: None), lines


def test_phases_and_log_lines_are_told_once_and_in_order() -> None:
    codebuild = ScriptedClient(
        start_build=[
            refused("InvalidInputException", "not authorized to perform: sts:AssumeRole"),
            {"build": {"id": "p:1"}},
        ],
        batch_get_builds=[
            build_of("IN_PROGRESS", "PROVISIONING"),
            build_of("IN_PROGRESS", "BUILD"),
            build_of("IN_PROGRESS", "BUILD"),
            build_of("SUCCEEDED", "COMPLETED"),
        ],
    )
    logs = ScriptedClient(
        get_log_events=[
            ScriptedClient.exceptions.ResourceNotFoundException(),
            page("1", "one", "two"),
            page("1"),
            page("1"),
            page("2", "three"),
            page("2"),
        ]
    )
    build, lines = scripted(codebuild, logs)
    build.build({"Dockerfile": b"FROM x"}, "registry/name:tag")
    told = [line.removeprefix("CodeBuild: ") for line in lines]
    assert told == ["started p:1", "provisioning", "build", "one", "two", "completed", "three"]
    request = codebuild.asked[-1 - 4][1]
    assert request["sourceLocationOverride"] == "bucket/build/tag.zip"
    assert {one["name"]: one["value"] for one in request["environmentVariablesOverride"]} == {
        "IMAGE_URI": "registry/name:tag",
        "REGISTRY": "registry",
    }


def test_a_failed_build_tells_its_last_lines_the_phase_and_where_the_rest_is() -> None:
    phases = [
        {"phaseType": "PRE_BUILD", "phaseStatus": "SUCCEEDED", "contexts": [{"message": ""}]},
        {"phaseType": "BUILD", "phaseStatus": "FAILED", "contexts": [{"message": "exit status 1"}]},
    ]
    codebuild = ScriptedClient(
        start_build=[{"build": {"id": "p:1"}}],
        batch_get_builds=[build_of("FAILED", "COMPLETED", phases=phases)],
    )
    logs = ScriptedClient(get_log_events=[page("1", "hash mismatch"), page("1")])
    build, _ = scripted(codebuild, logs)
    with pytest.raises(DeployFailed, match=r"(?s)failed.*hash mismatch.*BUILD: exit status 1") as failed:
        build.build({}, "registry/name:tag")
    assert "https://console/log" in failed.value.hint
    assert [name for name, _ in codebuild.asked] == ["start_build", "batch_get_builds"]


def test_an_interrupted_wait_stops_the_build() -> None:
    codebuild = ScriptedClient(
        start_build=[{"build": {"id": "p:1"}}], batch_get_builds=[KeyboardInterrupt()], stop_build=[{}]
    )
    build, _ = scripted(codebuild, ScriptedClient())
    with pytest.raises(KeyboardInterrupt):
        build.build({}, "registry/name:tag")
    assert codebuild.asked[-1] == ("stop_build", {"id": "p:1"})

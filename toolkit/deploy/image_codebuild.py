"""Builds the image with CodeBuild, where this machine has no Docker engine.

    context ──▶ s3://RUNS_BUCKET/build/TAG.zip ──▶ StartBuild ──▶ phases and log lines, until it has ended

The build follows `buildspec.yml` of the archive. Tried against MiniStack, which answers that every build has
succeeded and runs none, and against a scripted CodeBuild; untried on AWS.
https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html
"""

import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from toolkit.cloud import Cloud
from toolkit.deploy.image_context import zipped
from toolkit.errors import DeployFailed

POLL_SECONDS = 5.0
READY_SECONDS = 60.0
BUILD_SECONDS = 3600.0
LOG_LINES = 40

OnLine = Callable[[str], None]


class CodeBuild:
    """The project that builds images; `sleep` and `clock` stand in for those of `time`."""

    def __init__(
        self,
        cloud: Cloud,
        project: str,
        bucket: str,
        on_line: OnLine,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._project = project
        self._bucket = bucket
        self._on_line = on_line
        self._sleep = sleep
        self._clock = clock
        self._s3 = cloud.client("s3")
        self._codebuild = cloud.client("codebuild")
        self._logs = cloud.client("logs")

    def build(self, context: Mapping[str, bytes], image_uri: str) -> None:
        """Build and push. Raises `DeployFailed` with the end of the build's log."""
        key = f"build/{image_uri.rpartition(':')[2]}.zip"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=zipped(context))
        build_id = self._start(key, image_uri)
        self._on_line(f"CodeBuild: started {build_id}")
        log = _Log(self._logs, self._on_line)
        try:
            build = self._follow(build_id, log)
        except BaseException:  # also Ctrl-C: nothing goes on that nobody waits for
            self._stop(build_id)
            raise
        if build["buildStatus"] != "SUCCEEDED":
            raise _failure(build, log)

    def _start(self, key: str, image_uri: str) -> str:
        """The build's id. The role of a project made a moment ago may not be known everywhere yet."""
        deadline = self._clock() + READY_SECONDS
        variables = {"IMAGE_URI": image_uri, "REGISTRY": image_uri.partition("/")[0]}
        request = {
            "projectName": self._project,
            "sourceTypeOverride": "S3",
            "sourceLocationOverride": f"{self._bucket}/{key}",
            "buildspecOverride": "buildspec.yml",
            "environmentVariablesOverride": [
                {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in variables.items()
            ],
            "idempotencyToken": uuid.uuid4().hex,
        }
        while True:
            try:
                return str(self._codebuild.start_build(**request)["build"]["id"])
            except ClientError as error:
                if "AssumeRole" not in str(error) or self._clock() > deadline:
                    raise
            self._sleep(POLL_SECONDS)

    def _follow(self, build_id: str, log: "_Log") -> dict[str, Any]:
        """The build as it ended; its phases and log lines are passed on as they come."""
        deadline = self._clock() + BUILD_SECONDS
        phase = ""
        while True:
            build: dict[str, Any] = self._codebuild.batch_get_builds(ids=[build_id])["builds"][0]
            if (now := build.get("currentPhase", "")) not in ("", phase):
                phase = now
                self._on_line(f"CodeBuild: {phase.lower().replace('_', ' ')}")
            log.read(build.get("logs", {}))
            if build["buildStatus"] != "IN_PROGRESS":
                return build
            if self._clock() > deadline:
                raise DeployFailed(f"CodeBuild's {build_id} did not end in {BUILD_SECONDS:.0f} s")
            self._sleep(POLL_SECONDS)

    def _stop(self, build_id: str) -> None:
        try:
            self._codebuild.stop_build(id=build_id)
        except ClientError:
            self._on_line(f"CodeBuild: {build_id} could not be stopped")


class _Log:
    """The build's log in CloudWatch, read on from where it was."""

    def __init__(self, logs: Any, on_line: OnLine) -> None:
        self._logs = logs
        self._on_line = on_line
        self._token: dict[str, str] = {}
        self.tail: deque[str] = deque(maxlen=LOG_LINES)

    def read(self, where: Mapping[str, str]) -> None:
        """Pass on what is new; nothing where there is no log yet."""
        if not where.get("groupName") or not where.get("streamName"):
            return
        stream = {"logGroupName": where["groupName"], "logStreamName": where["streamName"]}
        while True:
            try:
                page = self._logs.get_log_events(**stream, startFromHead=True, **self._token)
            except self._logs.exceptions.ResourceNotFoundException:
                return
            for event in page["events"]:
                line = event["message"].rstrip()
                self.tail.append(line)
                self._on_line(line)
            token = {"nextToken": page["nextForwardToken"]}
            if not page["events"] or token == self._token:
                return
            self._token = token


def _failure(build: Mapping[str, Any], log: _Log) -> DeployFailed:
    reasons = [
        f"{phase['phaseType']}: {context['message']}"
        for phase in build.get("phases", [])
        for context in phase.get("contexts", [])
        if context.get("message") and phase.get("phaseStatus") not in ("SUCCEEDED", None)
    ]
    message = f"CodeBuild could not build the image ({build['buildStatus'].lower()})"
    link = build.get("logs", {}).get("deepLink", "")
    hint = f"the whole log: {link}" if link else f"look at the build {build['id']} in CodeBuild"
    return DeployFailed("\n".join([f"{message}:", *log.tail, *reasons]), hint)

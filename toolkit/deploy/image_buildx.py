"""Builds and pushes the image with the Docker engine of this machine.

Untried against a real engine: the machine on which this was written has none. Its tests use a `docker` that
only records what it is asked.
Lambda takes no image index, which `--provenance=false` avoids:
https://docs.aws.amazon.com/lambda/latest/dg/python-image.html
The password goes over standard input: https://docs.docker.com/reference/cli/docker/login/#password-stdin
"""

import base64
import binascii
import contextlib
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from toolkit.cloud import Cloud
from toolkit.deploy.image_context import BUILD_ARGS
from toolkit.errors import DeployFailed

PROBE_SECONDS = 15.0
LOGIN_SECONDS = 60.0
BUILD_SECONDS = 3600.0
LOG_LINES = 40
HINT = "the lines above are the end of Docker's output; `up` again goes on from the layers that are built"

OnLine = Callable[[str], None]


def has_docker(docker: str = "docker") -> bool:
    """Whether a Docker engine with buildx answers here, soon enough."""
    return all(_answers([docker, *probe]) for probe in (["info"], ["buildx", "version"]))


def _answers(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PROBE_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def build_with_docker(
    cloud: Cloud, context: Path, image_uri: str, on_line: OnLine, docker: str = "docker"
) -> None:
    """Build the context in a folder and push it. Raises `DeployFailed` with the end of Docker's output."""
    log_in(cloud, image_uri.partition("/")[0], docker)
    build_args = (context / BUILD_ARGS).read_text("utf-8").split()
    options = ["--platform=linux/arm64", "--provenance=false", "--sbom=false", "--progress=plain"]
    command = [docker, "buildx", "build", *options, *build_args, f"--tag={image_uri}", "--push", str(context)]
    tail: deque[str] = deque(maxlen=LOG_LINES)
    with _running(command) as process:
        assert process.stdout is not None
        for line in process.stdout:
            tail.append(line.rstrip())
            on_line(line.rstrip())
        code = process.wait()
    if code:
        raise DeployFailed(
            f"docker could not build {image_uri} (exit code {code}):\n" + "\n".join(tail), HINT
        )


def log_in(cloud: Cloud, registry: str, docker: str = "docker") -> None:
    """Log Docker in to the registry, for the twelve hours that ECR grants. Raises `DeployFailed`."""
    answer = cloud.client("ecr").get_authorization_token()
    try:
        token = base64.b64decode(answer["authorizationData"][0]["authorizationToken"]).decode()
    except (LookupError, binascii.Error, UnicodeDecodeError) as wrong:
        raise DeployFailed("ECR gave no token that can be used") from wrong
    user, _, password = token.partition(":")
    try:
        done = subprocess.run(
            [docker, "login", "--username", user, "--password-stdin", registry],
            input=password,
            capture_output=True,
            text=True,
            timeout=LOGIN_SECONDS,
        )
    except subprocess.TimeoutExpired as late:
        raise DeployFailed(f"docker login to {registry} did not end in {LOGIN_SECONDS:.0f} s") from late
    if done.returncode:
        raise DeployFailed(f"docker cannot log in to {registry}: {done.stderr.strip()[-500:]}")


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    """The process, which does not outlive the block or the time that a build may take."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    deadline = threading.Timer(BUILD_SECONDS, process.kill)
    deadline.daemon = True
    deadline.start()
    try:
        yield process
    finally:
        deadline.cancel()
        if process.poll() is None:
            process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

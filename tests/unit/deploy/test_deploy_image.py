"""The builder: preview, skip, Docker and CodeBuild, against MiniStack and executables that only record."""

import json
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest

from toolkit.cloud import LOCAL_ACCOUNT, Cloud
from toolkit.deploy.image import ImageBuilder
from toolkit.deploy.image_buildx import has_docker
from toolkit.deploy.image_context import ImageOptions, content_tag, context_files
from toolkit.deploy.image_pins import load_pins, write_pins
from toolkit.emulator import Emulator
from toolkit.errors import DeployFailed, UsageError

REGION = "eu-central-1"
REGISTRY = f"{LOCAL_ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
NAME = "tfkit-dev-agent"
URL = f"{REGISTRY}/{NAME}"
BUCKET = "tfkit-runs"
PROJECT = "tfkit-dev-image"
LAYER = "sha256:" + "1" * 64

# Records what it is asked; pushing puts the image into the repository, through the hook in `PUSH`.
FAKE_DOCKER = """#!{python}
import json, os, pathlib, sys
folder = pathlib.Path({folder!r})
stdin = sys.stdin.read() if "--password-stdin" in sys.argv else ""
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps({{"argv": sys.argv[1:], "stdin": stdin, "context": os.listdir(sys.argv[-1])
        if os.path.isdir(sys.argv[-1]) else []}}) + "\\n")
mode = (folder / "mode").read_text()
if mode == "no engine" and sys.argv[1] == "info":
    sys.exit("Cannot connect to the Docker daemon")
if mode == "refuses" and sys.argv[1] == "login":
    sys.exit("Error response from daemon: 401 Unauthorized")
if sys.argv[1:3] == ["buildx", "build"]:
    print("#1 [packages 3/9] RUN sh wheels.sh", flush=True)
    if mode == "fails":
        print("#1 ERROR: hash mismatch", file=sys.stderr, flush=True)
        sys.exit(17)
    (folder / "pushed").touch()
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    emulator = Emulator(tmp_path_factory.mktemp("ministack"))
    emulator.start()
    here = {"endpoint": emulator.endpoint, "key": emulator.key, "secret": emulator.secret}
    cloud = Cloud(target="aws", region=REGION, account=LOCAL_ACCOUNT, **here)
    cloud.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    cloud.client("codebuild").create_project(
        name=PROJECT,
        source={"type": "NO_SOURCE", "buildspec": "version: 0.2"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "ARM_CONTAINER",
            "image": "aws/codebuild/amazonlinux-aarch64-standard:3.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=f"arn:aws:iam::{LOCAL_ACCOUNT}:role/build",
    )
    yield cloud
    emulator.stop()


@pytest.fixture(autouse=True)
def repository(cloud: Cloud) -> Iterator[None]:
    cloud.client("ecr").create_repository(repositoryName=NAME, imageTagMutability="IMMUTABLE")
    yield
    cloud.client("ecr").delete_repository(repositoryName=NAME, force=True)


@pytest.fixture
def options(tmp_path: Path) -> ImageOptions:
    """Options whose pins are whole."""
    pins = load_pins()
    bases = {key: msgspec.structs.replace(one, digest=LAYER) for key, one in pins.base.items()}
    files = {
        key: msgspec.structs.replace(one, sha256=dict.fromkeys(one.sha256, "1" * 64))
        for key, one in pins.download.items()
    }
    write_pins(tmp_path / "pins.toml", msgspec.structs.replace(pins, base=bases, download=files))
    return ImageOptions(pins=tmp_path / "pins.toml")


class Docker:
    """The fake executable, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = str(folder / "docker")
        Path(self.path).write_text(FAKE_DOCKER.format(python=sys.executable, folder=str(folder)))
        Path(self.path).chmod(0o755)
        self.mode = "works"

    @property
    def mode(self) -> str:
        return (self._folder / "mode").read_text()

    @mode.setter
    def mode(self, value: str) -> None:
        (self._folder / "mode").write_text(value)

    @property
    def pushed(self) -> bool:
        return (self._folder / "pushed").exists()

    @property
    def calls(self) -> list[dict[str, Any]]:
        file = self._folder / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    folder = tmp_path / "docker"
    folder.mkdir()
    return Docker(folder)


def push(cloud: Cloud, tag: str) -> None:
    manifest = {"schemaVersion": 2, "config": {"digest": LAYER}, "layers": []}
    cloud.client("ecr").put_image(repositoryName=NAME, imageTag=tag, imageManifest=json.dumps(manifest))


class Follower(list[str]):
    """The progress lines; `on` puts the image into the repository when a line has a text."""

    def __init__(self, cloud: Cloud, tag: str, on: str = "") -> None:
        super().__init__()
        self._cloud, self._tag, self._on = cloud, tag, on

    def __call__(self, line: str) -> None:
        self.append(line)
        if self._on and self._on in line:
            push(self._cloud, self._tag)
            self._on = ""


def builder(
    cloud: Cloud, options: ImageOptions, follower: Callable[[str], None], **more: Any
) -> ImageBuilder:
    values: dict[str, Any] = {"project": PROJECT, "bucket": BUCKET, "preview": lambda: False}
    return ImageBuilder(cloud, options, follower, **{**values, **more})


@pytest.fixture
def tag(options: ImageOptions) -> str:
    return content_tag(context_files(options), options)


def test_a_preview_tells_the_address_and_touches_nothing(
    docker: Docker, tag: str, options: ImageOptions
) -> None:
    nowhere = Cloud(target="aws", region=REGION, account=LOCAL_ACCOUNT, endpoint="http://127.0.0.1:9")
    lines: list[str] = []
    build = builder(nowhere, options, lines.append, preview=lambda: True, docker=docker.path)
    assert build(URL) == f"{URL}:{tag}"
    assert (lines, docker.calls) == ([], [])


def test_a_tag_that_is_there_is_not_built_again(
    cloud: Cloud, docker: Docker, tag: str, options: ImageOptions
) -> None:
    push(cloud, tag)
    lines: list[str] = []
    assert builder(cloud, options, lines.append, docker=docker.path)(URL) == f"{URL}:{tag}"
    assert (lines, docker.calls) == ([], [])


def test_docker_builds_pushes_and_never_sees_the_password_in_its_arguments(
    cloud: Cloud, docker: Docker, tag: str, options: ImageOptions
) -> None:
    follower = Follower(cloud, tag, on="wheels.sh")
    assert builder(cloud, options, follower, docker=docker.path)(URL) == f"{URL}:{tag}"
    info, version, login, build = docker.calls
    assert (info["argv"], version["argv"]) == (["info"], ["buildx", "version"])
    assert login["argv"] == ["login", "--username", "AWS", "--password-stdin", REGISTRY]
    assert login["stdin"]
    assert login["stdin"] not in " ".join(word for call in docker.calls for word in call["argv"])
    assert build["argv"][:2] == ["buildx", "build"]
    assert {"--platform=linux/arm64", "--provenance=false", "--push", f"--tag={URL}:{tag}"} <= set(
        build["argv"]
    )
    assert f"--build-arg=LAMBDA_PYTHON_BASE=public.ecr.aws/lambda/python:3.13@{LAYER}" in build["argv"]
    assert {"Dockerfile", "app", "requirements.txt", "build-args.txt"} <= set(build["context"])
    assert not Path(build["argv"][-1]).exists(), "the context is left behind"
    assert any("wheels.sh" in line for line in follower)


def test_it_builds_once_for_many_threads(
    cloud: Cloud, docker: Docker, tag: str, options: ImageOptions
) -> None:
    build = builder(cloud, options, Follower(cloud, tag, on="wheels.sh"), docker=docker.path)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(build(URL))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [f"{URL}:{tag}"] * 5
    assert [call["argv"][:2] for call in docker.calls].count(["buildx", "build"]) == 1


def test_a_failed_build_shows_the_end_of_its_log(cloud: Cloud, docker: Docker, options: ImageOptions) -> None:
    docker.mode = "fails"
    lines: list[str] = []
    with pytest.raises(DeployFailed, match=r"(?s)exit code 17.*hash mismatch") as failed:
        builder(cloud, options, lines.append, docker=docker.path)(URL)
    assert failed.value.hint
    assert lines[-1] == "#1 ERROR: hash mismatch"


def test_a_failed_push_of_what_someone_else_pushed_is_as_good(
    cloud: Cloud, docker: Docker, tag: str, options: ImageOptions
) -> None:
    docker.mode = "fails"
    assert builder(cloud, options, Follower(cloud, tag, on="wheels.sh"), docker=docker.path)(URL).endswith(
        tag
    )


def test_a_build_that_leaves_no_image_is_a_failure(
    cloud: Cloud, docker: Docker, options: ImageOptions
) -> None:
    with pytest.raises(DeployFailed, match="is not in the repository"):
        builder(cloud, options, lambda _: None, docker=docker.path)(URL)
    assert docker.pushed


def test_a_refused_login_says_so(cloud: Cloud, docker: Docker, options: ImageOptions) -> None:
    docker.mode = "refuses"
    with pytest.raises(DeployFailed, match=r"cannot log in .*401 Unauthorized"):
        builder(cloud, options, lambda _: None, docker=docker.path)(URL)


def test_nothing_is_built_from_what_is_not_pinned(
    cloud: Cloud, docker: Docker, options: ImageOptions
) -> None:
    pins = load_pins(options.pins)
    bases = {key: msgspec.structs.replace(one, digest="") for key, one in pins.base.items()}
    write_pins(options.pins, msgspec.structs.replace(pins, base=bases))
    with pytest.raises(DeployFailed, match=r"not pinned: public\.ecr\.aws/lambda/python:3\.13") as refused:
        builder(cloud, options, lambda _: None, docker=docker.path)(URL)
    assert "toolkit.deploy.image_pins" in refused.value.hint
    assert docker.calls == []
    allowed = msgspec.structs.replace(options, allow_tags=True)
    tag = content_tag(context_files(allowed), allowed)
    assert builder(cloud, allowed, Follower(cloud, tag, on="wheels.sh"), docker=docker.path)(URL).endswith(
        tag
    )


def test_options_that_cannot_be_are_refused_before_anything_is_called(
    cloud: Cloud, options: ImageOptions
) -> None:
    wrong = msgspec.structs.replace(options, plugins=("acme>=1",))
    with pytest.raises(UsageError, match="plugin"):
        builder(cloud, wrong, lambda _: None)


def test_a_repository_that_is_not_there_is_told(cloud: Cloud, docker: Docker, options: ImageOptions) -> None:
    with pytest.raises(DeployFailed, match="RepositoryNotFound"):
        builder(cloud, options, lambda _: None, docker=docker.path)(f"{REGISTRY}/other")


def test_an_engine_that_is_absent_silent_or_late_is_none(
    docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert has_docker(docker.path)
    docker.mode = "no engine"
    assert not has_docker(docker.path)
    assert not has_docker(str(tmp_path / "nothing"))
    late = tmp_path / "late"
    late.write_text("#!/bin/sh\nexec sleep 30\n")
    late.chmod(0o755)
    monkeypatch.setattr("toolkit.deploy.image_buildx.PROBE_SECONDS", 0.2)
    assert not has_docker(str(late))


# -- CodeBuild --------------------------------------------------------------------------------------------


def test_without_an_engine_codebuild_gets_the_context_and_is_followed(
    cloud: Cloud, docker: Docker, tag: str, options: ImageOptions
) -> None:
    docker.mode = "no engine"
    follower = Follower(cloud, tag, on="CodeBuild: completed")
    assert builder(cloud, options, follower, docker=docker.path)(URL) == f"{URL}:{tag}"
    stored = cloud.client("s3").get_object(Bucket=BUCKET, Key=f"build/{tag}.zip")["Body"].read()
    with zipfile.ZipFile(BytesIO(stored)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == context_files(options)
    assert any(line.startswith(f"CodeBuild: started {PROJECT}:") for line in follower)


def test_a_project_that_is_not_there_is_told(cloud: Cloud, docker: Docker, options: ImageOptions) -> None:
    docker.mode = "no engine"
    with pytest.raises(DeployFailed, match="ResourceNotFound"):
        builder(cloud, options, lambda _: None, docker=docker.path, project="none")(URL)

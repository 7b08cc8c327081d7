"""A build that fails in the middle of `up`: the whole program on an emulator, with a scripted CodeBuild."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aws_fakes import ACCOUNT, account, emulated  # noqa: F401 - fixtures
from test_deploy_image_codebuild import ScriptedClient, build_of, page

from stacks import names
from stacks.program import platform
from toolkit.cloud import Cloud
from toolkit.deploy.embedded import EmbeddedEngine
from toolkit.deploy.image import ImageBuilder, ImageFailed
from toolkit.deploy.image_context import ImageOptions
from toolkit.deploy.image_pins import load_pins, write_pins
from toolkit.deploy.plan import platform_config
from toolkit.deploy.platform import quiet
from toolkit.emulator import Emulator
from toolkit.errors import DeployFailed
from toolkit.local.provider import EmulatorProvider
from toolkit.settings import Settings

REGION = "us-east-1"


class WithScript:
    """The account, but for two services."""

    def __init__(self, cloud: Cloud, **scripted: ScriptedClient) -> None:
        self._cloud = cloud
        self._scripted = scripted

    def client(self, service: str) -> Any:
        return self._scripted.get(service) or self._cloud.client(service)


@pytest.fixture
def options(tmp_path: Path) -> ImageOptions:
    pins = load_pins()
    files = {
        name: msgspec.structs.replace(one, sha256=dict.fromkeys(one.sha256, "1" * 64))
        for name, one in pins.download.items()
    }
    write_pins(tmp_path / "pins.toml", msgspec.structs.replace(pins, download=files))
    return ImageOptions(pins=tmp_path / "pins.toml", allow_tags=True)


def test_the_log_of_a_failed_build_reaches_the_user_once_and_without_a_traceback(
    account: Emulator,  # noqa: F811
    options: ImageOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("toolkit.deploy.image.has_docker", lambda _docker: False)
    phases = [{"phaseType": "BUILD", "phaseStatus": "FAILED", "contexts": [{"message": "exit status 1"}]}]
    codebuild = ScriptedClient(
        start_build=[{"build": {"id": "p:1"}}],
        batch_get_builds=[build_of("FAILED", "COMPLETED", phases=phases)],
    )
    logs = ScriptedClient(get_log_events=[page("1", "#9 RUN sh wheels.sh", "hash mismatch"), page("1")])
    cloud = Cloud(target="aws", region=REGION, account=ACCOUNT)
    config = platform_config(
        Settings(target="aws", region=REGION, prefix="tfkit-dev", home=str(tmp_path)), cloud
    )
    lines: list[str] = []
    with_script: Any = WithScript(cloud, codebuild=codebuild, logs=logs)
    builder = ImageBuilder(
        with_script,
        options,
        lines.append,
        project=names.build_name(config),
        bucket=names.bucket_name(config, names.RUNS),
    )
    provider = EmulatorProvider(account.endpoint, REGION, account.key, account.secret)
    engine = EmbeddedEngine(tmp_path / "stack", "tfkit", "dev", provider, {"region": REGION})
    with pytest.raises(DeployFailed) as failed:
        engine.up(platform(config, builder), quiet)
    assert builder.failed
    said = str(builder.failed)
    assert failed.value.message == said
    assert said.startswith("CodeBuild could not build the image (failed):\n")
    assert (
        said.count("hash mismatch") == said.count("exit status 1") == said.count("https://console/log") == 1
    )
    assert "Traceback" not in said + failed.value.message + "".join(capfd.readouterr())
    assert lines[-2:] == ["#9 RUN sh wheels.sh", "hash mismatch"]


def test_the_sdk_passes_the_text_on_to_pulumis_own_engine_and_nothing_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What `pulumi.automation` does with an inline program that raises, with the engine's side left out."""
    from pulumi.automation import _server
    from pulumi.runtime.proto import language_pb2

    logged: list[str] = []
    monkeypatch.setattr(_server.log, "error", logged.append)
    monkeypatch.setattr(_server, "reset_options", lambda **_: None)

    async def run_in_stack(program: Callable[[], None]) -> None:
        program()

    def program() -> None:
        raise ImageFailed("CodeBuild could not build the image:\nhash mismatch", "the whole log: https://x")

    monkeypatch.setattr(_server, "run_in_stack", run_in_stack)
    answer = _server.LanguageServer(program).Run(language_pb2.RunRequest(), None)
    assert answer.error == "CodeBuild could not build the image:\nhash mismatch\nthe whole log: https://x"
    assert logged == [answer.error]

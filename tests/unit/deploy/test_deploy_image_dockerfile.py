"""What can be said of the Dockerfile, the buildspec and the scripts without a Docker engine."""

import base64
import hashlib
import importlib.util
import re
import shlex
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType

import pytest

from toolkit.deploy.image_context import BUILD_ARGS, ImageOptions, context_files
from toolkit.deploy.image_pins import load_pins

IMAGE = Path(__file__).parents[3] / "toolkit/deploy/image"
CONTEXT = context_files(ImageOptions())


def instructions() -> list[tuple[str, str]]:
    """Each instruction with its arguments on one line, comments left out."""
    lines = [line for line in (IMAGE / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    whole = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in whole.splitlines() if line)]


def of(name: str) -> list[str]:
    return [rest for found, rest in instructions() if found == name]


def last_stage() -> list[tuple[str, str]]:
    found = instructions()
    start = max(n for n, (name, _) in enumerate(found) if name == "FROM")
    return found[start:]


def test_every_base_is_an_argument_that_the_pins_make() -> None:
    args = load_pins().build_args()
    for rest in of("FROM"):
        match = re.fullmatch(r"--platform=(\$BUILDPLATFORM|linux/arm64) \$\{(\w+)\}( AS [\w-]+)?", rest)
        assert match, rest
        assert match[2] in args
    assert not [rest for rest in of("ARG") if "=" in rest], "an argument with a default is not pinned"


def test_arguments_are_those_of_the_build_and_nothing_else() -> None:
    asked = set(of("ARG")) - {"BUILDARCH"}  # BuildKit's own
    assert asked == set(load_pins().build_args())
    given = CONTEXT[BUILD_ARGS].decode().split()
    assert {one.removeprefix("--build-arg=").partition("=")[0] for one in given} == asked


def test_every_download_goes_through_the_script_that_checks_it() -> None:
    assert not of("ADD")
    for rest in of("RUN"):
        assert not re.search(r"\b(curl|wget|git|dnf|yum|apt-get|apk)\b", rest), rest
        if "fetch.py" in rest:
            assert re.search(r'fetch\.py "\$\{(\w+_ARM64|terraform)\}"', rest), rest
    fetched = {name for rest in of("RUN") for name in re.findall(r"\$\{(\w+_A[RM]\w+64)\}", rest)}
    assert fetched == {name for name in load_pins().build_args() if not name.endswith("_BASE")}


def test_wheels_come_by_hash_and_nothing_is_resolved_or_built() -> None:
    script = (IMAGE / "wheels.sh").read_text()
    assert {"--no-deps", "--only-binary=:all:", "--no-compile"} <= set(script.split())
    assert "wheels.sh /out/task --require-hashes --requirement requirements.txt" in " ".join(of("RUN"))


def test_the_last_stage_is_for_arm64_runs_nothing_and_is_not_root() -> None:
    stage = last_stage()
    assert stage[0][1].startswith("--platform=linux/arm64 ")
    names = [name for name, _ in stage]
    assert "RUN" not in names
    assert dict(stage)["USER"] == "65534:65534"
    assert stage[-1] == ("CMD", '["toolkit.agent.handler.handler"]')
    assert all(rest.startswith("--from=") for name, rest in stage if name == "COPY")


def test_large_and_rarely_changed_layers_come_first() -> None:
    copied = [rest.split()[0].removeprefix("--from=") for name, rest in last_stage() if name == "COPY"]
    assert copied[0] == "providers"
    assert [rest for name, rest in last_stage() if name == "COPY"][-1].split()[1] == "/out/app"
    runs = [(name, rest) for name, rest in instructions() if name in ("COPY", "RUN", "ARG")]
    script = next(n for n, (_, rest) in enumerate(runs) if "requirements.txt ./" in rest)
    code = next(n for n, (_, rest) in enumerate(runs) if rest.startswith("app "))
    assert script < code, "a change of tfkit's code must not install the dependencies again"


def test_what_it_copies_is_in_the_context() -> None:
    tops = {path.split("/")[0] for path in CONTEXT}
    for rest in of("COPY"):
        words = rest.split()
        if not words[0].startswith("--"):
            assert set(words[:-1]) <= tops, rest
    assert {"Dockerfile", "buildspec.yml", BUILD_ARGS} <= tops


def test_nothing_is_latest_and_bytecode_is_compiled_when_it_is_built() -> None:
    for name, content in CONTEXT.items():
        if not name.startswith("app/"):
            text = re.sub(rb"https://docs\.\S+", b"", content)
            assert b"latest" not in text, name
    environment = dict(word.split("=", 1) for word in shlex.split(dict(last_stage())["ENV"]))
    assert environment["PYTHONDONTWRITEBYTECODE"] == "1"
    assert "--invalidation-mode unchecked-hash" in (IMAGE / "wheels.sh").read_text()
    assert [rest for rest in of("RUN") if "compileall" in rest and "unchecked-hash" in rest]


def test_the_mirror_lies_where_the_checker_looks() -> None:
    environment = dict(word.split("=", 1) for word in shlex.split(dict(last_stage())["ENV"]))
    assert environment["TFKIT_PROVIDER_MIRROR"] == "/opt/tfkit"
    assert ("COPY", "--from=providers /out /opt/tfkit") in last_stage()


def test_a_child_without_an_environment_finds_the_packages_first_and_the_interpreters_libraries() -> None:
    (rest,) = [rest for rest in of("RUN") if "tfkit.pth" in rest]
    line = re.search(r"echo '(.+?)' > \"\$\{site\}/tfkit\.pth\"", rest)
    assert line
    assert line[1] == 'import sys; sys.path.insert(0, "/var/task")', "not behind the base image's own boto3"
    assert "for library in /var/lang/lib/*.so*" in rest
    assert 'env -i "$(command -v python3)" -I' in rest, "the build itself tries it"
    assert ("COPY", "--from=packages /out/site /") in last_stage()


def test_the_insights_agent_and_its_settings_have_to_be_there() -> None:
    (rest,) = [rest for rest in of("RUN") if rest.startswith("rpm ")]
    assert "--ignorearch --nodeps --noscripts" in rest
    assert "test -x /opt/extensions/cloudwatch_lambda_agent" in rest
    copied = [rest for name, rest in last_stage() if name == "COPY" and "insights" in rest]
    assert [rest.split()[1] for rest in copied] == ["/opt/extensions", "/opt/cloudwatch"]


def test_the_buildspec_builds_as_the_laptop_does_and_keeps_the_password_off_the_command_line() -> None:
    text = (IMAGE / "buildspec.yml").read_text()
    assert "--password-stdin" in text
    assert "--platform linux/arm64 --provenance=false" in text
    assert f"xargs --arg-file={BUILD_ARGS}" in text
    commands = " ".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    assert set(re.findall(r"\$(\w+)", commands)) == {"REGISTRY", "IMAGE_URI"}


# -- the scripts ----------------------------------------------------------------------------------------


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"image_{name}", IMAGE / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address at which its files are."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_download_with_the_pinned_hash_is_unpacked_as_an_executable(
    served: tuple[Path, str], tmp_path: Path
) -> None:
    folder, url = served
    with zipfile.ZipFile(folder / "tool.zip", "w") as archive:
        archive.writestr("tool", "#!/bin/sh\n")
        archive.writestr("../evil", "x")
    value = hashlib.sha256((folder / "tool.zip").read_bytes()).hexdigest()
    made = script("fetch").fetch(f"{url}/tool.zip#sha256={value}", tmp_path / "out", "tool")
    assert made.read_text() == "#!/bin/sh\n"
    assert made.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in tmp_path.rglob("*evil*")] == []
    kept = script("fetch").fetch(f"{url}/tool.zip#sha256={value}", tmp_path / "whole")
    assert kept.name == "tool.zip"


def test_a_download_with_another_hash_or_none_writes_nothing(
    served: tuple[Path, str], tmp_path: Path
) -> None:
    folder, url = served
    (folder / "a.rpm").write_bytes(b"x")
    with pytest.raises(SystemExit, match=r"is pinned\. If its publisher has replaced it, empty the hash"):
        script("fetch").fetch(f"{url}/a.rpm#sha256={'0' * 64}", tmp_path / "out")
    for source in (f"{url}/a.rpm", f"{url}/a.rpm#sha256=", ""):
        with pytest.raises(SystemExit, match="not URL#sha256=HASH"):
            script("fetch").fetch(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """A mirror as `terraform providers mirror` writes it, with another platform beside ours."""
    folder = tmp_path / "packed/registry.terraform.io/hashicorp/tiny"
    folder.mkdir(parents=True)
    for platform in ("linux_arm64", "linux_amd64"):
        with zipfile.ZipFile(folder / f"terraform-provider-tiny_1.2.3_{platform}.zip", "w") as archive:
            archive.writestr("terraform-provider-tiny_v1.2.3", f"for {platform}")
            archive.writestr("LICENSE.txt", "MPL")
    return tmp_path / "packed"


def h1(files: dict[str, bytes]) -> str:
    """Go's `dirhash.Hash1`, written once more, from its documentation."""
    lines = "".join(f"{hashlib.sha256(text).hexdigest()}  {name}\n" for name, text in sorted(files.items()))
    return "h1:" + base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()


def test_a_mirror_is_unpacked_for_one_platform_and_held_against_the_lock(
    packed: Path, tmp_path: Path
) -> None:
    lock = tmp_path / "lock.hcl"
    value = h1({"terraform-provider-tiny_v1.2.3": b"for linux_arm64", "LICENSE.txt": b"MPL"})
    lock.write_text(f'hashes = ["{value}"]')
    made = script("mirror").unpack(packed, "linux_arm64", lock, tmp_path / "out")
    wanted = tmp_path / "out/registry.terraform.io/hashicorp/tiny/1.2.3/linux_arm64"
    assert made == [wanted]
    assert (wanted / "terraform-provider-tiny_v1.2.3").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out/terraform.lock.hcl").read_text() == lock.read_text()
    assert not list((tmp_path / "out").rglob("*amd64*"))


def test_a_provider_unlike_the_lock_or_none_at_all_ends_the_build(packed: Path, tmp_path: Path) -> None:
    lock = tmp_path / "lock.hcl"
    lock.write_text('hashes = ["h1:other="]')
    with pytest.raises(SystemExit, match="is not what the lock file says"):
        script("mirror").unpack(packed, "linux_arm64", lock, tmp_path / "out")
    with pytest.raises(SystemExit, match="no provider for darwin_arm64"):
        script("mirror").unpack(packed, "darwin_arm64", lock, tmp_path / "other")

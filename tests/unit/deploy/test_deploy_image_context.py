"""What goes into the image's build, and the tag that says it."""

import io
import json
import os
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from toolkit.deploy import image_requirements
from toolkit.deploy.image_context import (
    PACKAGES,
    ImageOptions,
    build_context,
    content_tag,
    context_files,
    zipped,
)
from toolkit.deploy.image_pins import load_pins, write_pins
from toolkit.errors import UsageError

ROOT = Path(__file__).parents[3]
DEFAULT = ImageOptions()

# Imports every module of the folder with nothing of the checkout in reach, and lists the validators.
IMPORT_ALL = """
import importlib, json, pathlib, sys
from importlib.metadata import entry_points
folder = pathlib.Path(sys.argv[1])
sys.path[:] = [str(folder)] + [p for p in sys.path if p != sys.argv[2]]
sys.meta_path[:] = [f for f in sys.meta_path if "editable" not in repr(f).lower()]
names = [".".join(p.relative_to(folder).with_suffix("").parts) for p in folder.rglob("*.py")]
for name in sorted(names):
    module = importlib.import_module(name.removesuffix(".__init__"))
    assert module.__file__.startswith(str(folder)), module.__file__
ours = [e for e in entry_points(group="tfkit.validators") if e.dist.locate_file("") == folder]
print(json.dumps(sorted(e.name for e in ours)))
"""


@pytest.fixture(scope="module")
def context() -> dict[str, bytes]:
    return context_files(DEFAULT)


def test_the_same_input_gives_the_same_tag_in_another_process_and_order(context: dict[str, bytes]) -> None:
    code = (
        "from toolkit.deploy.image_context import *; o = ImageOptions(); "
        "print(content_tag(context_files(o), o), end='')"
    )
    other = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "tests",
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    tag = content_tag(context, DEFAULT)
    shuffled = list(context.items())
    random.Random(7).shuffle(shuffled)
    assert other.stdout == tag == content_tag(dict(shuffled), DEFAULT)
    assert len(tag) == 24


def test_a_changed_byte_a_new_file_and_another_name_give_other_tags(context: dict[str, bytes]) -> None:
    tags = {content_tag(context, DEFAULT)}
    for path in context:
        tags.add(content_tag({**context, path: context[path] + b"\n"}, DEFAULT))
    tags.add(content_tag({**context, "app/more.py": b""}, DEFAULT))
    renamed = {("x" + path if path == "fetch.py" else path): text for path, text in context.items()}
    tags.add(content_tag(renamed, DEFAULT))
    assert len(tags) == len(context) + 3


def test_plugins_providers_and_pins_are_part_of_the_tag(tmp_path: Path) -> None:
    pins = load_pins()
    newer = msgspec.structs.replace(pins.download["tflint"], version="0.65.0")
    write_pins(
        tmp_path / "pins.toml", msgspec.structs.replace(pins, download={**pins.download, "tflint": newer})
    )
    write_pins(tmp_path / "same.toml", pins)
    options = [
        DEFAULT,
        ImageOptions(plugins=("acme-rules==1.0",)),
        ImageOptions(plugins=("acme-rules==1.1",)),
        ImageOptions(providers={"hashicorp/random": "3.7.2"}),
        ImageOptions(pins=tmp_path / "pins.toml"),
        ImageOptions(allow_tags=True),
    ]
    tags = [content_tag(context_files(one), one) for one in options]
    assert len(set(tags)) == len(options)
    same = ImageOptions(pins=tmp_path / "same.toml")
    assert content_tag(context_files(same), same) == tags[0]
    one, other = ImageOptions(plugins=("a==1", "b==2")), ImageOptions(plugins=("b==2", "a==1"))
    assert content_tag(context_files(one), one) == content_tag(context_files(other), other)


@pytest.mark.parametrize(
    "plugin",
    [
        "acme",
        "acme>=1",
        "acme==1; sys_platform=='x'",
        "--index-url=https://x",
        "a==1\n--index-url=x",
        "./x",
        "",
    ],
)
def test_a_plugin_that_is_not_one_exact_requirement_is_refused(plugin: str) -> None:
    with pytest.raises(UsageError, match="plugin"):
        context_files(ImageOptions(plugins=(plugin,)))


def test_hashes_are_for_all_plugins_or_for_none() -> None:
    with pytest.raises(UsageError, match="some plugins have hashes"):
        context_files(ImageOptions(plugins=("a==1 --hash=sha256:" + "0" * 64, "b==1")))


@pytest.mark.parametrize("provider", [{"aws": "5"}, {"hashicorp/aws": "~> 5"}, {'x/y"': "1"}])
def test_a_provider_without_an_exact_version_is_refused(provider: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="provider of the image"):
        context_files(ImageOptions(providers=provider))


def test_it_holds_every_tracked_file_of_what_runs_in_lambda_and_nothing_else(
    context: dict[str, bytes],
) -> None:
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("needs a checkout with git")
    listed = subprocess.run(
        ["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    present = {f"app/{path}" for path in listed if (ROOT / path).exists()}
    assert present <= set(context)
    tops = {path.split("/")[1] for path in context if path.startswith("app/")}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"plugins", "toolkit"}
    parts = {path.split("/")[2] for path in context if path.startswith("app/toolkit/")}
    assert not parts & {"cli", "deploy", "local", "traces", "client.py", "cloud.py", "settings.py"}


def test_a_module_that_what_runs_in_lambda_imports_goes_along(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    for package in ("toolkit", "plugins"):
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("local", "__pycache__"))
    monkeypatch.setattr("toolkit.deploy.image_context._ROOTS", {"toolkit": tree, "plugins": tree})
    (tree / "toolkit/agent/more.py").write_text("def f():\n    from toolkit.first import x\n")
    (tree / "toolkit/first.py").write_text("import toolkit.second\nimport toolkit.agent.more\n")
    (tree / "toolkit/second.py").write_text("from toolkit.first import x\n")
    (tree / "toolkit/third.py").write_text("")
    found = context_files(DEFAULT)
    assert {"app/toolkit/first.py", "app/toolkit/second.py", "app/toolkit/emulator.py"} <= set(found)
    assert "app/toolkit/third.py" not in found


def test_it_holds_no_tests_caches_or_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for package in ("toolkit", "plugins"):
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("local", "__pycache__"))
    agent = tree / "toolkit/agent"
    for stray in (
        ".env",
        ".aws/credentials",
        "__pycache__/x.py",
        "x.pyc",
        "notes.txt~",
        "key.pem",
        ".hidden.py",
    ):
        (agent / stray).parent.mkdir(exist_ok=True)
        (agent / stray).write_text("AWS_SECRET_ACCESS_KEY=x")
    (agent / "outside.py").symlink_to("/etc/hostname")
    monkeypatch.setattr("toolkit.deploy.image_context._ROOTS", {"toolkit": tree, "plugins": tree})
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-whoever-builds")
    found = context_files(DEFAULT)
    assert "app/toolkit/agent/handler.py" in found
    assert not [path for path in found if "test_" in path or "tests/" in path or "__pycache__" in path]
    assert not [path for path in found if path.endswith((".pyc", "~", ".pem")) or "/." in path]
    assert "app/toolkit/agent/outside.py" not in found
    assert not [path for path, text in found.items() if b"AWS_SECRET_ACCESS_KEY=x" in text]
    assert not [path for path, text in found.items() if b"of-whoever-builds" in text]


def test_its_modules_import_without_the_checkout_and_name_tfkits_validators(
    context: dict[str, bytes], tmp_path: Path
) -> None:
    build_context(tmp_path, context)
    done = subprocess.run(
        [sys.executable, "-P", "-c", IMPORT_ALL, str(tmp_path / "app"), str(ROOT)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert {"fmt", "validate"} <= set(json.loads(done.stdout))


@pytest.fixture
def private_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("private_umask")
def test_folder_and_zip_hold_the_same_and_the_zip_is_the_same_every_time(
    context: dict[str, bytes], tmp_path: Path
) -> None:
    build_context(tmp_path, context)
    written = {p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert written == context
    assert {p.stat().st_mode & 0o777 for p in tmp_path.rglob("*") if p.is_file()} == {0o644}
    assert {p.stat().st_mode & 0o777 for p in tmp_path.rglob("*/")} == {0o755}
    archive = zipped(context)
    assert archive == zipped(dict(reversed(context.items())))
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert {name: opened.read(name) for name in opened.namelist()} == context


def test_the_requirements_are_those_of_the_lock_file() -> None:
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if uv is None:
        pytest.skip("uv is not installed")
    made = image_requirements.requirements_text(ROOT, uv)
    assert made == image_requirements.REQUIREMENTS.read_text(), (
        "stale: run python -m toolkit.deploy.image_requirements"
    )


def test_the_requirements_hold_hashes_and_no_marker_that_a_cross_install_would_answer_wrongly() -> None:
    text = image_requirements.REQUIREMENTS.read_text()
    entries = text.replace("\\\n", " ").splitlines()[1:]
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "platform_machine" not in text
    names = {entry.split("==")[0] for entry in entries}
    assert {"ministack", "pydantic-ai-slim", "boto3", "msgspec"} <= names
    assert not names & {"click", "rich", "pulumi", "pulumi-aws", "tfkit-platform"}

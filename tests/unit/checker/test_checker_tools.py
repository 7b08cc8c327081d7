"""Where linters are found, and how they are installed; nothing here reaches a network."""

import hashlib
import io
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from toolkit.checker import tools_install
from toolkit.checker.tools import (
    CHECKOV_VERSION,
    EXECUTABLES,
    TFLINT_VERSION,
    checkov_version,
    find_tool,
    interpreter_of,
    require_tool,
    tflint_version,
    tools_folder,
)
from toolkit.checker.tools_install import install_tool
from toolkit.errors import PlatformError, ToolMissing, UsageError


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def fake_tflint(path: Path, version: str = TFLINT_VERSION) -> Path:
    return script(path, f"#!/bin/sh\necho 'TFLint version {version}'\n")


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tools folder, with nothing on PATH."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("TFKIT_TOOLS", str(tmp_path / "tools"))
    return tmp_path / "tools"


def test_the_installed_one_comes_before_the_one_on_path(tools: Path, tmp_path: Path) -> None:
    assert find_tool("tflint") is None
    with pytest.raises(ToolMissing, match="tflint is not installed"):
        require_tool("tflint")
    on_path = fake_tflint(tmp_path / "bin" / "tflint", "0.50.0")
    assert find_tool("tflint") == on_path
    installed = fake_tflint(tools / EXECUTABLES["tflint"])
    assert find_tool("tflint") == require_tool("tflint") == installed
    assert (tflint_version(on_path), tflint_version(installed)) == ("0.50.0", TFLINT_VERSION)


def test_nothing_of_the_working_folder_is_found(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_tflint(tmp_path / "work" / "tflint")
    monkeypatch.chdir(tmp_path / "work")
    assert find_tool("tflint") is None


def test_the_folder_of_the_tools() -> None:
    assert tools_folder({"TFKIT_TOOLS": "/a", "TFKIT_HOME": "/b"}) == Path("/a")
    assert tools_folder({"TFKIT_HOME": "/b"}) == Path("/b/tools")
    assert tools_folder({}) is not None


def test_one_that_does_not_answer_has_no_version(tmp_path: Path) -> None:
    assert tflint_version(script(tmp_path / "a", "#!/bin/sh\nexit 1\n")) == ""
    assert tflint_version(script(tmp_path / "b", "no program")) == ""


def test_the_interpreter_of_a_console_script(tmp_path: Path) -> None:
    assert interpreter_of(script(tmp_path / "a", f"#!{sys.executable}\nx\n")) == Path(sys.executable)
    for text in ("#!/usr/bin/env python3\n", "#!/bin/bash\n", "\x7fELF", ""):
        with pytest.raises(ToolMissing, match="cannot be isolated"):
            interpreter_of(script(tmp_path / "b", text))
    # This environment has no checkov, so there is nobody to answer.
    assert checkov_version(tmp_path / "a") == ""


def test_go_builds_tflint_where_there_is_go(tools: Path, tmp_path: Path) -> None:
    notes: list[str] = []
    script(
        tmp_path / "bin" / "go",
        f"#!/bin/sh\nprintf '#!/bin/sh\\necho {TFLINT_VERSION}\\n' > $GOBIN/tflint\n"
        "/bin/chmod +x $GOBIN/tflint\n"
        f'echo "$@" > {tmp_path}/asked\n',
    )
    path = install_tool("tflint", tools, notes.append)
    assert path == tools / EXECUTABLES["tflint"] == find_tool("tflint")
    asked = (tmp_path / "asked").read_text().strip()
    assert asked == f"install github.com/terraform-linters/tflint@v{TFLINT_VERSION}"
    assert asked in notes[0]
    (tmp_path / "asked").unlink()
    assert install_tool("tflint", tools, notes.append) == path
    assert not (tmp_path / "asked").exists()
    assert "is installed" in notes[-1]


def test_a_build_that_fails_leaves_nothing(tools: Path, tmp_path: Path) -> None:
    script(tmp_path / "bin" / "go", "#!/bin/sh\n: > $GOBIN/tflint\necho no such module >&2\nexit 1\n")
    with pytest.raises(ToolMissing, match="no such module"):
        install_tool("tflint", tools, lambda note: None)
    assert list(tools.iterdir()) == []


def test_one_that_does_not_answer_as_its_version_is_not_kept(tools: Path, tmp_path: Path) -> None:
    script(tmp_path / "bin" / "go", "#!/bin/sh\n: > $GOBIN/tflint\n")
    with pytest.raises(PlatformError, match="does not answer"):
        install_tool("tflint", tools, lambda note: None)
    assert list(tools.iterdir()) == []


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The publisher's release: what it holds by name."""
    archive = f"tflint_{tools_install.go_platform()}.zip"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("tflint", f"#!/bin/sh\necho {TFLINT_VERSION}\n")
        file.writestr("../../evil", "x")
    held = {archive: packed.getvalue()}
    held["checksums.txt"] = f"{hashlib.sha256(held[archive]).hexdigest()}  {archive}\n".encode()
    monkeypatch.setattr(tools_install, "fetch", lambda url: held[url.rpartition("/")[2]])
    return held


def test_without_go_the_release_is_taken_and_its_checksums_are_kept(
    tools: Path, release: dict[str, bytes]
) -> None:
    notes: list[str] = []
    path = install_tool("tflint", tools, notes.append)
    assert tflint_version(path) == TFLINT_VERSION
    assert "releases/download" in notes[0]
    assert not (tools.parent / "evil").exists()
    kept = tools / f"tflint-{TFLINT_VERSION}.checksums.txt"
    assert kept.read_bytes() == release["checksums.txt"]


def test_a_release_that_has_changed_since_is_refused(tools: Path, release: dict[str, bytes]) -> None:
    path = install_tool("tflint", tools, lambda note: None)
    path.unlink()
    archive = next(name for name in release if name.endswith(".zip"))
    release[archive] += b"x"
    release["checksums.txt"] = f"{hashlib.sha256(release[archive]).hexdigest()}  {archive}\n".encode()
    with pytest.raises(PlatformError, match="SHA-256"):
        install_tool("tflint", tools, lambda note: None)
    assert not path.exists()


def test_a_platform_that_the_release_lacks(tools: Path, release: dict[str, bytes]) -> None:
    release["checksums.txt"] = b"00  tflint_other.zip\n"
    with pytest.raises(ToolMissing, match="has no tflint_"):
        install_tool("tflint", tools, lambda note: None)


def test_checkov_gets_an_environment_of_its_own(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_rest: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        if "install" in command:
            script(tools / EXECUTABLES["checkov"], "#!/bin/sh\n")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(tools_install.subprocess, "run", run)
    version = {"checkov": (tools_install._checkov, lambda path: CHECKOV_VERSION, CHECKOV_VERSION)}
    monkeypatch.setattr(tools_install, "_INSTALLERS", version)
    notes: list[str] = []
    path = install_tool("checkov", tools, notes.append)
    home = path.parent.parent
    assert commands[0] == [sys.executable, "-I", "-m", "venv", str(home)]
    assert commands[1][0] == str(home / "bin" / "python")
    assert commands[1][-1] == f"checkov=={CHECKOV_VERSION}"
    assert CHECKOV_VERSION in notes[0]


def test_another_tool_is_none_of_ours(tools: Path) -> None:
    with pytest.raises(UsageError, match="installs no curl"):
        install_tool("curl", tools, lambda note: None)
    assert not tools.exists()

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from checker_fakes import Fake, tree

from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.terraform import Terraform, find_terraform, terraform_version
from toolkit.errors import PlatformError, ToolMissing


def terraform(fake: Fake, tmp_path: Path) -> Terraform:
    root = tmp_path / "stage"
    root.mkdir()
    return Terraform(fake.path, root, tmp_path / "private", "")


def test_without_terraform_the_error_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="not on PATH") as error:
        find_terraform()
    assert "Install Terraform" in error.value.hint


def test_nothing_of_our_environment_reaches_terraform(
    fake_terraform: Callable[..., Fake], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = fake_terraform()
    for name in ("TF_CLI_ARGS", "TF_CLI_ARGS_init", "TF_LOG", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "ANY"):
        monkeypatch.setenv(name, "marker")
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(tmp_path / "marker.tfrc"))
    checker = InProcessChecker(tmp_path / "work", mirrors=[])
    assert checker.init(tree(main_tf="")).status == "ok"
    seen = json.loads((fake.folder / "environment").read_text())
    assert "marker" not in json.dumps(seen)
    assert set(seen) <= {
        *("PATH", "HOME", "TMPDIR", "LANG", "CHECKPOINT_DISABLE", "TF_IN_AUTOMATION"),
        *("TF_CLI_CONFIG_FILE", "TF_DATA_DIR", "LC_CTYPE", "__CF_USER_TEXT_ENCODING"),
    }
    home = str((tmp_path / "work").resolve())
    assert all(seen[name].startswith(home) for name in ("PATH", "HOME", "TF_CLI_CONFIG_FILE", "TF_DATA_DIR"))
    assert list(Path(seen["PATH"]).iterdir()) == []
    assert "stages" not in seen["TF_DATA_DIR"]
    checker.close()


def test_the_version_is_asked_once(fake_terraform: Callable[..., Fake]) -> None:
    fake = fake_terraform()
    assert terraform_version(fake.path) == terraform_version(fake.path) == ("1.11.4", "linux_amd64")
    assert fake.calls("version") == 1


def test_answers_that_are_none_are_failures_of_the_platform(
    fake_terraform: Callable[..., Fake], tmp_path: Path
) -> None:
    fake = fake_terraform("sys.stderr.write('flag provided but not defined: -json'); sys.exit(1)")
    made = terraform(fake, tmp_path)
    for act in (made.init, made.validate):
        with pytest.raises(PlatformError, match="flag provided"):
            act(30)


def test_invalid_without_a_reason_is_not_clean(fake_terraform: Callable[..., Fake], tmp_path: Path) -> None:
    fake = fake_terraform('print(json.dumps({"valid": False, "diagnostics": []})); sys.exit(1)')
    with pytest.raises(PlatformError, match="no reason"):
        terraform(fake, tmp_path).validate(30)

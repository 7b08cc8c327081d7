"""What of a folder goes to a run, and what stays home: with git, and without."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit.errors import UsageError
from toolkit.start import gather as module
from toolkit.start.gather import Gathered, gather

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A folder with these files."""

    def made(files: dict[str, str], *, git: bool = False) -> Path:
        root = tmp_path / "tree"
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        if git:
            subprocess.run(["git", "init", "-q", str(root)], check=True)
        return root

    return made


def reasons(gathered: Gathered) -> dict[str, str]:
    return dict(gathered.stays)


IGNORING = {
    ".gitignore": "*.log\n/build/\n!keep.log\n",
    "main.tf": "",
    "a.log": "",
    "keep.log": "",
    "build/x.tf": "",
    "sub/build/x.tf": "",
    "sub/.gitignore": "*.md\n!*.log\n",
    "sub/b.log": "",
    "sub/notes.md": "",
    "notes.md": "",
}


@pytest.mark.parametrize("git", [True, False])
def test_what_git_ignores_stays_home_with_git_and_without(make: Make, git: bool) -> None:
    gathered = gather(make(IGNORING, git=git))
    assert sorted(gathered.tree.files) == [
        "keep.log", "main.tf", "notes.md", "sub/b.log", "sub/build/x.tf"
    ]  # fmt: skip
    ignored = [path for path, reason in gathered.stays if reason == "git ignores it"]
    assert ignored == ["a.log", "build/", "sub/notes.md"]


@pytest.mark.parametrize("without_git", [False, True])
def test_the_rules_above_the_folder_and_those_of_the_repository_hold_below(
    make: Make, monkeypatch: pytest.MonkeyPatch, without_git: bool
) -> None:
    root = make(
        {".gitignore": "*.log\n", "infra/main.tf": "", "infra/a.log": "", "infra/b.bak": ""}, git=True
    )
    (root / ".git" / "info" / "exclude").write_text("*.bak\n")
    if without_git:
        monkeypatch.setenv("PATH", "/nonexistent")
    assert list(gather(root / "infra").tree.files) == ["main.tf"]


def test_a_tracked_file_goes_although_a_rule_matches_it(make: Make) -> None:
    root = make({".gitignore": "*.json\n", "policy.json": "{}", "other.json": "{}"}, git=True)
    subprocess.run(["git", "-C", str(root), "add", "-f", "policy.json"], check=True)
    assert list(gather(root).tree.files) == ["policy.json"]


@pytest.mark.parametrize(
    "name",
    [
        ".env", ".env.prod", "prod.env", "server.pem", "tls.KEY", "id_rsa", "id_ed25519", "credentials",
        "credentials.csv", "terraform.tfstate", "terraform.tfstate.backup", "x.tfstate.1700000000.backup",
        ".terraformrc", ".git-credentials",
    ],
)  # fmt: skip
def test_a_file_that_is_a_secret_by_its_name_stays_home_wherever_it_lies(make: Make, name: str) -> None:
    gathered = gather(make({"main.tf": "", f"sub/{name}": "harmless"}))
    assert list(gathered.tree.files) == ["main.tf"]
    assert "secrets" in reasons(gathered)[f"sub/{name}"]


@pytest.mark.parametrize("name", ["credentials.tf", "id_rsa.pub", "secrets.tf", "keys.tf", "prod.tfvars"])
def test_what_only_sounds_like_a_secret_goes(make: Make, name: str) -> None:
    assert list(gather(make({name: 'secret_arn = "arn:aws:x"\n'})).tree.files) == [name]


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("main.tf", 'access_key = "AKIAQWERTYUIOPASDFGH"\n', "aws-access-key-id"),
        ("notes.md", "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAxxxxxxxxxxxx\n", "private-key"),
        ("db.py", "url = 'postgres://app:hunter22@db/x'\n", "password"),
    ],
)
def test_a_file_in_which_a_secret_is_seen_stays_home_and_the_reason_does_not_say_it(
    make: Make, name: str, text: str, kind: str
) -> None:
    gathered = gather(make({"ok.tf": "", name: text}))
    assert list(gathered.tree.files) == ["ok.tf"]
    assert reasons(gathered) == {name: f"it looks as if it held a secret: {kind}"}


@pytest.mark.parametrize(
    "line",
    ['db_password = "hunter22"', 'api_token="abcd"', '"master_secret": "abcd"', "tls_private_key = <<EOT"],
)
def test_variable_values_go_unless_one_is_called_a_secret(make: Make, line: str) -> None:
    gathered = gather(
        make({"dev.tfvars": 'stage = "dev"\npassword_length = 12\n', "prod.tfvars": f"{line}\n"})
    )
    assert list(gathered.tree.files) == ["dev.tfvars"]
    assert "is a secret" in reasons(gathered)["prod.tfvars"]


def test_links_and_pipes_stay_home_and_nothing_is_read_through_them(make: Make, tmp_path: Path) -> None:
    root = make({"main.tf": ""})
    (tmp_path / "outside.tf").write_text("outside")
    (root / "link.tf").symlink_to(tmp_path / "outside.tf")
    (root / "up").symlink_to(tmp_path)
    os.mkfifo(root / "pipe.tf")
    gathered = gather(root)
    assert list(gathered.tree.files) == ["main.tf"]
    assert reasons(gathered) == {
        "link.tf": "it is a symbolic link",
        "pipe.tf": "it is no regular file",
        "up": "it is a symbolic link",
    }


def test_what_configures_tools_and_earlier_results_stay_home(make: Make) -> None:
    files = {
        "main.tf": "",
        ".terraform/x": "",
        ".tflint.hcl": "",
        "tfkit-runs/r/main.tf": "",
        "terraform.d/p": "",
    }
    gathered = gather(make(files))
    assert list(gathered.tree.files) == ["main.tf"]
    assert set(reasons(gathered)) == {".terraform/", ".tflint.hcl", "terraform.d/", "tfkit-runs/"}


def test_more_than_a_workspace_holds_is_refused_and_a_single_large_file_stays(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make({"main.tf": "", "large.sql": "x" * (1024 * 1024 + 1)})
    assert reasons(gather(root)) == {"large.sql": "it is larger than 1,048,576 bytes"}
    monkeypatch.setattr(module, "MAX_FILES", 2)
    for name in "abc":
        (root / f"{name}.tf").write_text("")
    with pytest.raises(UsageError, match="more than 2 files"):
        gather(root)


@pytest.mark.parametrize("git", [True, False])
@pytest.mark.parametrize("submodule", [True, False])
def test_what_a_repository_within_ignores_stays_home(
    make: Make, monkeypatch: pytest.MonkeyPatch, git: bool, submodule: bool
) -> None:
    root = make(
        {"main.tf": "", "modules/net/main.tf": "", "modules/net/.gitignore": "dev.tfvars\n/out/\n"}, git=True
    )
    inner = root / "modules" / "net"
    subprocess.run(["git", "init", "-q", str(inner)], check=True)
    (inner / ".git" / "info" / "exclude").write_text("notes.md\n")
    if submodule:  # its repository lies in that of the whole
        (root / ".git" / "modules").mkdir()
        (inner / ".git").rename(root / ".git" / "modules" / "net")
        (inner / ".git").write_text("gitdir: ../../.git/modules/net\n")
    for path in ("dev.tfvars", "out/x.tf", "notes.md", "deep/dev.tfvars", "deep/b.tf"):
        (inner / path).parent.mkdir(exist_ok=True)
        (inner / path).write_text("x = 1\n")
    if not git:
        monkeypatch.setenv("PATH", "/nonexistent")
    gathered = gather(root)
    own = {} if submodule and not git else {"modules/net/notes.md": "git ignores it"}  # info/ lies elsewhere
    assert sorted(gathered.tree.files) == sorted(
        {"main.tf", "modules/net/deep/b.tf", "modules/net/main.tf", "modules/net/notes.md"} - own.keys()
    )
    ignored = {path: why for path, why in gathered.stays if why == "git ignores it"}
    assert ignored == own | dict.fromkeys(
        ["modules/net/dev.tfvars", "modules/net/deep/dev.tfvars", "modules/net/out/"], "git ignores it"
    )


def test_git_of_a_hook_does_not_lead_elsewhere(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = make({".gitignore": "*.log\n", "main.tf": "", "a.log": ""}, git=True)
    subprocess.run(["git", "init", "-q", str(tmp_path / "other")], check=True)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "other"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    (root / ".git" / "info" / "exclude").write_text("main.tf\n")
    assert list(gather(root).tree.files) == []


def test_a_name_that_is_no_text_stays_home_and_can_be_written(make: Make) -> None:
    root = make({"main.tf": ""})
    Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9.txt")).write_text("x")
    gathered = gather(root)
    assert [path.encode() for path, _ in gathered.stays] == ["caf\ufffd.txt".encode()]

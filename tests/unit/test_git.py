"""How git is called: the token is for one host alone, and only where the user's helpers have no answer."""

from pathlib import Path

import pytest
from git_world import Clone
from github_server import TOKEN

from toolkit.git import Git, GitRefused

FILES = {"main.tf": b"a\n", "sub/.gitignore": b"*.log\n", "sub/b.tf": b"b\n"}


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path, FILES)


def filled(git: Git, host: str, protocol: str = "https") -> str:
    """What git would sign in with at a host: the same look-up as a push does."""
    asked = f"protocol={protocol}\nhost={host}\n\n".encode()
    try:
        return git.remotely("credential", "fill", stdin=asked)
    except GitRefused:
        return ""


def test_the_token_is_a_helper_for_its_host_alone(clone) -> None:
    git = Git(clone.folder, clone.environment)
    assert filled(git, "github.com") == ""
    git.trust("https://github.com", TOKEN)
    assert f"username=x-access-token\npassword={TOKEN}\n" in filled(git, "github.com")
    assert filled(git, "gitlab.com") == filled(git, "github.com.evil.com") == ""
    assert filled(git, "github.com", "http") == ""


def test_what_the_user_has_set_up_comes_first_and_stays(clone) -> None:
    clone.git("config", "credential.helper", "!echo username=ann; echo password=hers; :")
    given = {
        **clone.environment,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "tfkit.kept",
        "GIT_CONFIG_VALUE_0": "yes",
    }
    git = Git(clone.folder, given)
    git.trust("https://github.com", TOKEN)
    assert "password=hers" in filled(git, "github.com")
    assert git.line("config", "tfkit.kept") == "yes"


def test_no_helper_of_the_user_keeps_the_token(clone, tmp_path) -> None:
    kept = tmp_path / "kept"
    clone.git("config", "credential.helper", f"store --file {kept}")
    git = Git(clone.folder, clone.environment)
    git.trust("https://github.com", TOKEN)
    accepted = filled(git, "github.com")
    assert TOKEN in accepted
    git.remotely("credential", "approve", stdin=accepted.encode())
    assert not kept.exists()


def test_an_error_has_no_secret_and_says_which_command(clone) -> None:
    git = Git(clone.folder, clone.environment)
    git.trust("https://github.com", TOKEN)
    with pytest.raises(GitRefused, match=r"^git ls-remote: ") as refused:
        git.remotely("ls-remote", f"https://ann:{TOKEN}@127.0.0.1:9/acme/shop")
    assert TOKEN not in refused.value.message and "ann:" not in refused.value.message


def test_nothing_sees_the_token_where_the_remote_is_not_reached_by_https(clone, tmp_path) -> None:
    seen = tmp_path / "seen"
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\nenv > {seen}\nexit 1\n")
    ssh.chmod(0o755)
    clone.git("config", "core.sshCommand", str(ssh))
    git = Git(clone.folder, clone.environment)
    git.trust("https://github.com", TOKEN, by_https=False)
    with pytest.raises(GitRefused):
        git.remotely("ls-remote", "git@github.com:acme/shop.git")
    assert "GIT_TERMINAL_PROMPT=0" in seen.read_text() and TOKEN not in seen.read_text()
    assert filled(git, "github.com") == ""


def test_nor_where_a_helper_of_the_users_answers(clone, tmp_path) -> None:
    seen = tmp_path / "seen"
    clone.git("config", "credential.helper", f"!env > {seen}; echo username=ann; echo password=hers; :")
    git = Git(clone.folder, clone.environment)
    git.trust("https://github.com", TOKEN)
    assert "password=hers" in filled(git, "github.com")
    assert "GIT_TERMINAL_PROMPT=0" in seen.read_text() and TOKEN not in seen.read_text()


def test_a_clone_without_its_objects_is_looked_at_and_nothing_fetched(clone, tmp_path) -> None:
    """A promisor's upload-pack is a program that the configuration names."""
    partial = tmp_path / "partial"
    clone.remote("config", "uploadpack.allowFilter", "true")
    clone._git(
        tmp_path, "clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{clone.bare}", str(partial)
    )
    clone._git(partial, "read-tree", "HEAD")
    clone._git(partial, "update-index", "--skip-worktree", "sub/.gitignore")
    (partial / "sub").mkdir()
    (partial / "sub" / "a.log").touch()
    clone._git(partial, "config", "remote.origin.uploadpack", f"touch {tmp_path}/ran; git-upload-pack")
    asked = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard")
    with pytest.raises(GitRefused):
        Git(partial, clone.environment, offline=True)(*asked)
    assert not (tmp_path / "ran").exists()
    assert Git(partial, clone.environment)(*asked) == b"sub/a.log\0"
    assert (tmp_path / "ran").exists(), "the same without the rule: so the test can fail"


def test_hooks_that_are_settings_are_off(clone) -> None:
    clone.git("config", "hook.my linter.x.event", "reference-transaction")
    clone.git("config", "hook.my linter.x.command", "touch ran")
    clone.git("config", "hook.jobs", "2")
    git = Git(
        clone.folder,
        {
            **clone.environment,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "hook.b.event",
            "GIT_CONFIG_VALUE_0": "pre-push",
        },
    )
    assert git.line("config", "--get", "hook.my linter.x.enabled") == "false"
    assert git.line("config", "--get", "hook.b.enabled") == "false"
    assert git.line("config", "--get", "hook.b.event") == "pre-push"


def test_no_program_speaks_of_the_refs_of_another_repository(clone, tmp_path) -> None:
    shared = tmp_path / "shared"
    clone._git(tmp_path, "clone", "-q", "--shared", str(clone.folder), str(shared))
    clone.git("commit", "-q", "--allow-empty", "-m", "second")
    clone._git(shared, "config", "core.alternateRefsCommand", f"touch {tmp_path}/ran; :")
    Git(shared, clone.environment).remotely("fetch", "--quiet", "origin")
    assert not (tmp_path / "ran").exists()
    clone.git("commit", "-q", "--allow-empty", "-m", "third")
    clone._git(shared, "fetch", "--quiet", "origin")
    assert (tmp_path / "ran").exists(), "the same without the rule: so the test can fail"

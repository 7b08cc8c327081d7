"""How git is called: the token is for one host alone, and only where the user's helpers have no answer."""

import pytest
from github_server import TOKEN

from toolkit.pulls.git import Git, GitRefused


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

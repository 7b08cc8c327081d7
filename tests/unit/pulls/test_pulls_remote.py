"""Which repository a remote is, where the API lies, and whose token it is."""

from pathlib import Path

import pytest

from toolkit.errors import UsageError
from toolkit.pulls.remote import Place, api_of, place_of, token_of

HUB = Place("github.com", "acme", "shop")


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("https://github.com/acme/shop.git", HUB),
        ("https://GitHub.com/acme/shop/", HUB),
        ("https://user:secret@github.com/acme/shop", HUB),
        ("https://github.com:443/acme/shop", HUB),
        ("git@github.com:acme/shop.git", HUB),
        ("github.com:acme/shop", HUB),
        ("ssh://git@github.com/acme/shop.git", HUB),
        ("ssh://git@ssh.github.com:443/acme/shop.git", HUB),
        ("ssh://git@git.example.com:2222/acme/a.b", Place("git.example.com", "acme", "a.b")),
        ("https://git.example.com:8443/acme/shop", Place("git.example.com:8443", "acme", "shop")),
        ("git@acme.ghe.com:acme/shop.git", Place("acme.ghe.com", "acme", "shop")),
        ("http://github.com/acme/shop", None),
        ("git://github.com/acme/shop", None),
        ("/srv/git/acme/shop.git", None),
        ("file:///acme/shop", None),
        ("C:/acme/shop", None),
        ("https://github.com/acme", None),
        ("https://github.com/acme/shop/tree/main", None),
        ("https://github.com/acme/..", None),
        ("https://github.com/acme/sh%2fop", None),
        ("https://evil.com#@github.com/acme/shop", None),
        ("https://[::1/acme/shop", None),
        ("git@-oProxyCommand=x:acme/shop", None),
    ],
)
def test_a_remote_is_told_apart(address: str, place: Place | None) -> None:
    assert place_of(address) == place


def test_the_api_is_the_hosts_own_or_the_one_named() -> None:
    assert api_of(HUB, {}) == "https://api.github.com"
    assert api_of(HUB._replace(host="acme.ghe.com"), {}) == "https://api.acme.ghe.com"
    assert api_of(HUB._replace(host="git.example.com"), {}) == "https://git.example.com/api/v3"
    assert api_of(HUB, {"TFKIT_GITHUB_API": "http://127.0.0.1:8/"}) == "http://127.0.0.1:8"
    for wrong in (
        "http://example.com",
        "ftp://x",
        "https://u:p@x",
        "x",
        "https://x/?a",
        "https://[",
        "https://",
    ):
        with pytest.raises(UsageError, match="TFKIT_GITHUB_API") as refused:
            api_of(HUB, {"TFKIT_GITHUB_API": wrong})
        assert "u:p" not in str(refused.value.message)


def test_a_token_goes_to_the_host_that_it_is_for() -> None:
    ours = {"GH_TOKEN": "aaaa", "GITHUB_TOKEN": "bbbb", "GH_ENTERPRISE_TOKEN": "cccc", "PATH": ""}
    example = HUB._replace(host="git.example.com")
    assert token_of(HUB, ours) == "aaaa"
    assert token_of(HUB, {**ours, "GH_TOKEN": " "}) == "bbbb"
    assert token_of(HUB._replace(host="acme.ghe.com"), ours) == "aaaa"
    for named in (
        {"GH_HOST": "Git.example.com"},
        {"GITHUB_SERVER_URL": "https://git.example.com", "GH_TOKEN": "", "GITHUB_TOKEN": "cccc"},
        {"TFKIT_GITHUB_API": "https://git.example.com/api/v3"},
    ):
        assert token_of(example, {**ours, **named}) == "cccc"
    assert token_of(example._replace(host="git.example.com:8443"), {**ours, "GH_HOST": "git.example.com"})
    # Within a workflow of that server its token has the usual name, and is not github.com's.
    there = {"GITHUB_TOKEN": "bbbb", "GITHUB_SERVER_URL": "https://git.example.com", "PATH": ""}
    assert token_of(example, there) == "bbbb"
    for place, given in [
        (HUB, there),
        (example, {"GH_TOKEN": "aaaa", "GITHUB_TOKEN": "bbbb", "PATH": ""}),
        (HUB._replace(host="gitlab.com"), {"GITHUB_TOKEN": "bbbb", "PATH": ""}),
        (HUB._replace(host="github.com.evil.com"), {"GITHUB_TOKEN": "bbbb", "PATH": ""}),
        (HUB._replace(host="evilghe.com"), {"GITHUB_TOKEN": "bbbb", "PATH": ""}),
        # What a clone's remote names is no server of the company's: another, or an alias of ssh.
        (example, ours),
        (HUB._replace(host="evil.example"), {**ours, "GH_HOST": "git.example.com"}),
        (HUB._replace(host="gh-work"), {**ours, "TFKIT_GITHUB_API": "https://git.example.com/api/v3"}),
        (example, {**ours, "TFKIT_GITHUB_API": "https://["}),
    ]:
        with pytest.raises(UsageError, match=f"no token for {place.host}") as refused:
            token_of(place, given)
        assert place == HUB or f"GH_HOST={place.host}" in refused.value.hint


def test_gh_is_asked_for_this_host_and_not_for_what_a_variable_says(tmp_path: Path) -> None:
    gh = tmp_path / "gh"
    gh.write_text('#!/bin/sh\ntest "$GH_TOKEN$GITHUB_TOKEN" || echo "of-$4-by-$1-$2"\n')
    gh.chmod(0o755)
    given = {"PATH": f"{tmp_path}:/usr/bin:/bin", "GITHUB_TOKEN": "bbbb"}
    assert token_of(HUB._replace(host="git.example.com"), given) == "of-git.example.com-by-auth-token"


def test_a_token_with_odd_characters_is_refused_and_not_shown() -> None:
    with pytest.raises(UsageError) as refused:
        token_of(HUB, {"GH_TOKEN": "abcd\nX-Header: 1"})
    assert "abcd" not in refused.value.message + refused.value.hint

"""Which content a tag names: asked of a registry over TLS, and held against what it sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from image_publisher import DOCKER_LIST, OCI_INDEX, TOKEN, Publisher, index, publishing

from toolkit.deploy import image_web
from toolkit.deploy.image_registry import tag_digest
from toolkit.errors import DeployFailed

BOTH = {("linux", "amd64"), ("linux", "arm64")}


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    with publishing(tmp_path, monkeypatch) as one:
        yield one


def ask(publisher: Publisher, tag: str = "3.13") -> str:
    return tag_digest(f"{publisher.host}/lambda/python", tag, BOTH)


@pytest.mark.parametrize("kind", [OCI_INDEX, DOCKER_LIST])
def test_a_tag_is_resolved_with_a_token_for_anyone(publisher: Publisher, kind: str) -> None:
    wanted = publisher.image("lambda/python", "3.13", index("linux/amd64", "linux/arm64", kind=kind))
    assert ask(publisher) == wanted
    first, token, second = publisher.asked
    assert first[0] == second[0] == "/v2/lambda/python/manifests/3.13"
    assert {OCI_INDEX, DOCKER_LIST} == set(first[1]["accept"].split(", "))
    assert "authorization" not in first[1]
    assert token[0] == "/token/?service=public.test&scope=aws"
    assert second[1]["authorization"] == f"Bearer {TOKEN}"


def test_a_challenge_among_others_without_a_scope_is_understood(publisher: Publisher) -> None:
    wanted = publisher.image("lambda/python", "3.13", index("linux/amd64", "linux/arm64"))
    publisher.challenge = (
        'Basic realm="x", bearer Realm="https://{host}/token/?a=b",error="a,b",Service="public.test"'
    )
    publisher.token = {"access_token": TOKEN}
    assert ask(publisher) == wanted
    assert publisher.paths[1] == ("/token/?a=b&service=public.test&scope=repository%3Alambda%2Fpython%3Apull")


def test_a_registry_that_needs_no_token_is_asked_once(publisher: Publisher) -> None:
    wanted = publisher.image("lambda/python", "3.13", index("linux/amd64", "linux/arm64"))
    publisher.files["/open"] = publisher.files["/v2/lambda/python/manifests/3.13"]
    publisher.redirects["/v2/lambda/python/manifests/3.13"] = "/open"
    assert ask(publisher) == wanted
    assert publisher.paths == ["/v2/lambda/python/manifests/3.13", "/open"]


def test_content_unlike_the_digest_that_the_registry_says_is_refused(publisher: Publisher) -> None:
    publisher.image("lambda/python", "3.13", index("linux/amd64", "linux/arm64"))
    publisher.headers = {"Docker-Content-Digest": "sha256:" + "0" * 64}
    with pytest.raises(DeployFailed, match="has not the digest"):
        ask(publisher)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (index("linux/amd64"), "is not there for linux/arm64"),
        (index("windows/arm64", "linux/amd64"), "is not there for linux/arm64"),
        (index(), "is not there for linux/amd64, linux/arm64"),
        (b'{"schemaVersion": 2, "config": {}, "layers": []}', "no index of images"),
        (b"<html>", "no index of images"),
        (b"[]", "no index of images"),
    ],
)
def test_what_is_no_image_for_both_architectures_is_refused(
    publisher: Publisher, content: bytes, said: str
) -> None:
    publisher.image("lambda/python", "3.13", content)
    with pytest.raises(DeployFailed, match=said):
        ask(publisher)


def test_a_tag_that_is_not_there_is_told_by_name(publisher: Publisher) -> None:
    with pytest.raises(DeployFailed, match=r"lambda/python:9\.9 cannot be had: the registry says 404"):
        ask(publisher, "9.9")


@pytest.mark.parametrize(
    ("challenge", "token", "said"),
    [
        ('Basic realm="x"', {"token": TOKEN}, "a log-in of a kind"),
        ('Bearer realm="http://{host}/token/",service="public.test"', {"token": TOKEN}, "not over HTTPS"),
        ('Bearer realm="https://{host}/token/",service="public.test"', {}, "gives no token"),
        ('Bearer realm="https://{host}/none",service="public.test"', {"token": TOKEN}, "gives no token"),
        (
            'Bearer realm="https://{host}/token/",service="public.test"',
            {"token": "a\r\nX-Evil: 1"},
            "cannot be one",
        ),
    ],
)
def test_a_log_in_that_cannot_be_is_refused(
    publisher: Publisher, challenge: str, token: dict[str, str], said: str
) -> None:
    publisher.image("lambda/python", "3.13", index("linux/amd64", "linux/arm64"))
    publisher.challenge, publisher.token = challenge, token
    with pytest.raises(DeployFailed, match=said):
        ask(publisher)


# -- the way there ----------------------------------------------------------------------------------------


def test_nothing_is_taken_over_plain_http_nor_redirected_to_it(publisher: Publisher) -> None:
    with pytest.raises(DeployFailed, match="not over HTTPS"):
        image_web.read(f"http://{publisher.host}/sums")
    publisher.redirects["/sums"] = "http://127.0.0.1:1/sums"
    with pytest.raises(DeployFailed, match="1/sums is not over HTTPS"):
        image_web.read(f"https://{publisher.host}/sums")


def test_a_token_does_not_follow_a_redirect(publisher: Publisher) -> None:
    publisher.redirects["/a"] = "/b"
    publisher.files["/b"] = b"x"
    given = {"Authorization": "Bearer secret", "Accept": "y"}
    assert image_web.get(f"https://{publisher.host}/a", given).body == b"x"
    (_, first), (_, second) = publisher.asked
    assert (first["authorization"], first["accept"], second["accept"]) == ("Bearer secret", "y", "y")
    assert "authorization" not in second


def test_a_certificate_that_nobody_trusts_is_refused_with_the_next_step(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(DeployFailed, match="certificate") as refused:
        image_web.read(f"https://{publisher.host}/sums")
    assert "image_pins" in refused.value.hint
    assert publisher.asked == []


def test_a_server_that_is_away_refuses_or_sends_too_much_is_told(publisher: Publisher) -> None:
    with pytest.raises(DeployFailed, match="cannot be read") as away:
        image_web.read("https://127.0.0.1:1/sums")
    assert "go online" in away.value.hint
    with pytest.raises(DeployFailed, match="the server says 404"):
        image_web.read(f"https://{publisher.host}/sums")
    publisher.files["/sums"] = b"12345"
    assert image_web.read(f"https://{publisher.host}/sums", limit=5) == b"12345"
    with pytest.raises(DeployFailed, match="longer than 4 bytes"):
        image_web.read(f"https://{publisher.host}/sums", limit=4)

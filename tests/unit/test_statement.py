"""A statement as a document: standard outside, ours within, and never of another tree than its files."""

import base64
import hashlib
import json

import msgspec
import pytest
from statement_made import TREE, made

from toolkit import dsse, statement


def sealed(document, payload_type=statement.PAYLOAD_TYPE):
    return dsse.seal(payload_type, json.dumps(document).encode(), "arn:key", b"x")


def as_data(said):
    return json.loads(msgspec.json.encode(said))


def test_it_is_an_in_toto_statement_of_the_tree_and_says_what_the_run_came_to():
    said = as_data(made())
    assert said.keys() == {"_type", "subject", "predicateType", "predicate"}
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["subject"] == [{"name": "tree", "digest": {"sha256": TREE.hash.removeprefix("sha256:")}}]
    predicate = said["predicate"]
    assert (predicate["run_id"], predicate["model"], predicate["stack"]) == ("run-00000001", "haiku", "dev")
    assert (predicate["attempts"], predicate["usage"]["cost_usd"]) == (2, 0.25)
    assert predicate["checks"][0]["tool"] == {"name": "terraform", "version": "1.11.4"}
    assert [check["findings"] for check in predicate["checks"]] == [0, 1]
    assert predicate["skipped"] == [{"validator": "checkov", "reason": "not installed"}]
    assert predicate["providers"][0]["hashes"] == ["h1:x="]
    assert predicate["not_proven"] == ["nothing was applied"]
    assert "secret" not in json.dumps(said), "a statement is published; prompts are not for everybody"


def test_its_subject_is_what_sha256sum_says_of_the_list_of_files():
    lines = "".join(
        f"{hashlib.sha256(TREE.files[path]).hexdigest()}  {path}\n" for path in sorted(TREE.files)
    )
    assert made().subject[0].digest["sha256"] == hashlib.sha256(lines.encode()).hexdigest()
    assert made().tree == TREE.hash


@pytest.mark.parametrize("status", ["not_converged", "budget_exceeded", "cancelled", "error"])
def test_a_run_that_is_not_ok_has_nothing_to_state(status):
    with pytest.raises(ValueError, match="nothing to state"):
        made(status=status)


def test_it_reads_back_and_a_later_tfkit_may_say_more():
    said = as_data(made())
    said["predicate"]["invented_later"] = {"a": 1}
    envelope, read = statement.read(sealed(said))
    assert read == made()
    assert envelope.content == json.dumps(said).encode()


def test_what_is_no_statement_of_ours_is_refused_in_words():
    said = as_data(made())
    other = {**said, "predicateType": "https://slsa.dev/provenance/v1", "predicate": {"x": 1}}
    lies = {**said, "subject": [{"name": "tree", "digest": {"sha256": "0" * 64}}]}
    two = {**said, "subject": said["subject"] * 2}
    for body, why in [
        (sealed(other), "another sort"),
        (sealed(said, "application/vnd.tfkit.digest+json"), "no statement"),
        (sealed(lies), "not the tree of its files"),
        (sealed(two), "not the tree of its files"),
        (sealed({**said, "predicate": {}}), "missing required field"),
    ]:
        with pytest.raises(ValueError, match=why):
            statement.read(body)
    for body in (
        b"",
        b"[]",
        b"{}",
        b'{"payload":"!","payloadType":"' + b'application/vnd.in-toto+json","signatures":[]}',
    ):
        with pytest.raises(ValueError):
            statement.read(body)


def test_a_signature_over_another_type_does_not_pass_for_this_one():
    payload = base64.b64encode(b"{}")
    assert statement.to_sign(payload) != dsse.to_sign("application/vnd.tfkit.digest+json", payload)

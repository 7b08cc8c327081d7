"""The statement of a run: signed when the gate opens, and gone when the run does not end as `ok`."""

from typing import Any

import msgspec
import pytest
from agent_platform import RUNS, TABLE, Platform, check_left_behind, everything
from agent_scripts import ScriptedChecker, needs
from botocore.exceptions import EndpointConnectionError

from toolkit import statement
from toolkit.cancelling import Cancelling
from toolkit.contracts import CheckReport, ProviderUsed, Tree
from toolkit.dsse import with_public_key
from toolkit.tables import tree_key

AWS = ProviderUsed(source="registry.terraform.io/hashicorp/aws", version="5.100.0", hashes=["h1:x="])


class Informed(ScriptedChecker):
    """A checker that also says which provider init chose."""

    def check(self, *arguments: Any, **options: Any) -> CheckReport:
        return msgspec.structs.replace(super().check(*arguments, **options), providers=[AWS])


def stored(platform: Platform) -> bytes:
    return platform.objects().get("statement.json", b"")


def by_tree(platform: Platform) -> bytes:
    found = platform.objects(prefix=tree_key(Tree(files=platform.files).hash))
    return found.get("", b"")


@pytest.fixture(autouse=True)
def no_trees(platform: Platform) -> None:
    """The index of the tests before, which came to the same tree."""
    s3 = platform.clients.s3
    for item in s3.list_objects_v2(Bucket=RUNS, Prefix="statements/").get("Contents", []):
        s3.delete_object(Bucket=RUNS, Key=item["Key"])


def test_a_run_that_is_ok_leaves_a_statement_that_its_key_has_signed(platform: Platform) -> None:
    platform.checker = Informed(needs("main.tf"))
    result = platform.run(caller="arn:aws:iam::1:user/a")
    check_left_behind(platform, result, "ok")
    envelope, said = statement.read(stored(platform))
    public = platform.clients.kms.get_public_key(KeyId=platform.config.statement_key)["PublicKey"]
    (signature,) = envelope.signatures
    assert signature.keyid == platform.config.statement_key
    assert with_public_key(public)(statement.to_sign(envelope.content), signature.content)
    assert said.tree == result.attempts[-1].tree == Tree(files=platform.files).hash
    claims = said.predicate
    assert (claims.run_id, claims.model, claims.caller) == (
        platform.run_id,
        "priced",
        "arn:aws:iam::1:user/a",
    )
    assert [check.validator for check in claims.checks] == ["fmt", "validate"]
    assert (claims.attempts, claims.usage, claims.providers) == (1, result.usage, [AWS])
    assert claims.not_proven == result.not_proven
    assert by_tree(platform) == stored(platform)


def test_a_run_that_is_not_ok_states_nothing(platform: Platform) -> None:
    platform.checker = ScriptedChecker(needs("absent.tf"))
    check_left_behind(platform, platform.run(max_followups=0), "not_converged")
    assert not stored(platform) and not by_tree(platform)


def unreachable(**_: Any) -> Any:
    raise EndpointConnectionError(endpoint_url="https://kms")


@pytest.mark.parametrize("how", ["refused", "unreachable"])
def test_a_run_that_cannot_be_signed_is_an_error_in_its_trace_too(platform: Platform, how: str) -> None:
    if how == "refused":
        platform.refuse("kms")
    else:
        platform.clients.kms = type("Kms", (), {"sign": staticmethod(unreachable)})()
    result = platform.run()
    check_left_behind(platform, result, "error")
    assert "the statement of the run cannot be signed" in (result.error or "")
    assert "main.tf" in platform.files, "what was made is kept"
    assert not stored(platform) and not by_tree(platform)


def test_a_statement_that_cannot_be_stored_makes_no_ok(platform: Platform) -> None:
    platform.refuse("s3", lambda _, asked: str(asked.get("Key")).endswith("statement.json"))
    result = platform.run()
    assert (result.status, platform.record.status, platform.result.status) == ("error",) * 3
    assert "cannot store statement.json" in (result.error or "")
    assert not by_tree(platform)


def test_a_run_is_ok_without_its_place_in_the_index(platform: Platform) -> None:
    platform.refuse("s3", lambda _, asked: str(asked.get("Key")).startswith("statements/"))
    check_left_behind(platform, platform.run(), "ok")
    assert stored(platform) and not by_tree(platform)


def test_without_accepted_records_nothing_is_stated(platform: Platform) -> None:
    platform.refuse("firehose", everything)
    platform.refuse("s3", lambda _, asked: str(asked.get("Key")).startswith("fallback/"))
    assert platform.run().status == "error"
    assert not stored(platform) and not by_tree(platform)


def test_a_run_that_is_closed_at_the_very_end_takes_its_statement_back(platform: Platform) -> None:
    real = platform.clients.s3
    closing = Cancelling(platform.clients.dynamodb, TABLE)

    class Late:
        def put_object(self, **arguments: Any) -> Any:
            answer = real.put_object(**arguments)
            if arguments["Key"].endswith("result.json"):
                assert stored(platform), "the statement comes before the outcome"
                closing.cancel([platform.run_id], 0.0)
            return answer

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

    platform.clients.s3 = Late()
    assert platform.run().status == "cancelled"
    assert stored(platform) == by_tree(platform) == b""

"""New code beside code that is there: in its files, with its habits, and nothing of it touched."""

from pathlib import Path

import pytest

from toolkit.local.model.blocks import addresses, split_blocks
from toolkit.local.model.compose import Composition, Existing, compose
from toolkit.local.model.house import dressed, read_house
from toolkit.local.model.prompt import read_prompt
from toolkit.local.model.recipe import load_book

SHOP = Path(__file__).parents[3] / "e2e" / "shop"
TEXTS = {path.name: path.read_text() for path in SHOP.glob("*.tf")}
QUEUE = "add an SQS queue for refunds with a dead-letter queue"


def beside(prompt: str, texts: dict[str, str] | None = None) -> Composition:
    texts = TEXTS if texts is None else texts
    declared = frozenset[str]().union(*map(addresses, texts.values()))
    return compose(read_prompt(prompt), Existing(frozenset(texts), declared, texts))


def test_new_blocks_go_to_the_end_of_the_file_of_their_like_and_no_line_of_it_changes() -> None:
    files = beside(QUEUE).files
    assert sorted(files) == ["messaging.tf", "outputs.tf"]
    assert all(text.startswith(TEXTS[path].rstrip("\n") + "\n\n") for path, text in files.items())


def test_they_carry_the_prefix_and_the_tags_and_the_descriptions_of_the_house() -> None:
    files = beside(QUEUE).files
    new = {path: text.removeprefix(TEXTS[path]) for path, text in files.items()}
    assert 'name                      = "${local.prefix}-refunds-dlq"' in new["messaging.tf"]
    assert new["messaging.tf"].count("\n\n  tags = local.tags\n}\n") == 2  # the policies take none
    assert 'description = "URL of the SQS queue refunds"\n' in new["outputs.tf"]


def test_a_name_that_was_asked_for_is_kept_and_said() -> None:
    made = beside('a DynamoDB table named "returns"')
    assert 'name         = "returns"' in made.files["tables.tf"]
    assert any("without the prefix ${local.prefix}-" in note for note in made.notes)


def test_the_one_key_that_is_there_is_used_unless_another_is_asked_for() -> None:
    used = beside("a KMS encrypted SQS queue for refunds").files
    assert "kms_master_key_id          = aws_kms_key.main.arn" in used["messaging.tf"]
    assert "keys.tf" not in used
    asked = beside("an SQS queue for refunds and a KMS key for it").files
    assert 'resource "aws_kms_key"' in asked["keys.tf"].removeprefix(TEXTS["keys.tf"])


def test_versions_provider_and_their_variables_are_declared_once() -> None:
    made = beside("an encrypted S3 bucket")
    assert not {"terraform", "provider.aws", "variable.region", "variable.tags"} & made.declared
    assert sorted(made.files) == ["outputs.tf", "storage.tf"]


@pytest.mark.parametrize("kind", sorted(load_book().recipes))
def test_every_kind_beside_the_shop_repeats_no_address(kind: str) -> None:
    made = beside(f"a {load_book().recipes[kind].title}")
    new = [
        block.address
        for path, text in made.files.items()
        if path.endswith(".tf")
        for block in split_blocks(text.removeprefix(TEXTS.get(path, "").rstrip("\n")))
    ]
    assert len(new) == len(set(new))
    assert not set(new) & frozenset[str]().union(*map(addresses, TEXTS.values()))


def test_what_is_all_in_one_file_stays_in_one_file_but_for_what_has_a_place_of_its_own() -> None:
    one = {"main.tf": 'provider "aws" {\n}\n\nresource "aws_sns_topic" "a" {\n  name = "a"\n}\n'}
    assert sorted(beside(QUEUE, one).files) == ["main.tf", "outputs.tf"]


def test_what_two_of_five_do_is_no_habit() -> None:
    plain = 'resource "aws_sqs_queue" "q%d" {\n  name = "q%d"\n}\n'
    tagged = 'resource "aws_sqs_queue" "t%d" {\n  name = "${local.p}-t%d"\n  tags = local.tags\n}\n'
    text = "\n".join([plain % (n, n) for n in range(3)] + [tagged % (n, n) for n in range(2)])
    assert read_house({"a.tf": text})[2:4] == ("", "")
    text += "\n".join(["", *(tagged % (n, n) for n in range(5, 8))])
    assert read_house({"a.tf": text})[2:4] == ("local.tags", "${local.p}-")


def test_tags_that_a_block_has_already_are_merged() -> None:
    house = read_house(TEXTS)
    (block,) = split_blocks('resource "aws_vpc" "a" {\n  tags = {\n    Name = "a"\n  }\n}\n')
    assert dressed(block, house, []).text == (
        'resource "aws_vpc" "a" {\n  tags = merge(local.tags, {\n    Name = "a"\n  })\n}\n'
    )

import json

import pytest
from checker_fakes import tree

from toolkit.checker.hcl import parse
from toolkit.checker.scan import MAX_FINDINGS, scan
from toolkit.checker.sources import init_key
from toolkit.checker.tokens import HclError, tokenize
from toolkit.contracts import Tree

REFUSED = {
    "absolute file": ('locals {\n  a = file("/etc/passwd")\n}', "file-path"),
    "home": ('locals {\n  a = file("~/x")\n}', "file-path"),
    "above the root": ('locals {\n  a = filebase64("${path.module}/../x")\n}', "file-path"),
    "escaped dots": ('locals {\n  a = file("\\u002e\\u002e/x")\n}', "file-path"),
    "computed": ('locals {\n  a = file("/etc/${var.x}")\n}', "file-path"),
    "a variable": ("locals {\n  a = filemd5(var.x)\n}", "file-path"),
    "spaces and comments": ('locals {\n  a = (file\n /* x */ ("/etc/passwd"))\n}', "file-path"),
    "namespaced": ('locals {\n  a = core::file("/etc/passwd")\n}', "file-path"),
    "in a quoted template": ('locals {\n  a = "x${file("/etc/passwd")}"\n}', "file-path"),
    "in a directive": ('locals {\n  a = "%{ if file("/etc/passwd") != "" }x%{ endif }"\n}', "file-path"),
    "in a heredoc": ('locals {\n  a = <<-E\n   x ${file("/etc/passwd")}\n  E\n}', "file-path"),
    "after a false heredoc end": ('locals {\n  a = <<E\n${"x"}E\n${file("/p")}\nE\n}', "file-path"),
    "nested deep": ('locals {\n  a = "${"${"${file("/p")}"}"}"\n}', "file-path"),
    "fileset pattern": ('locals {\n  a = fileset("${path.module}", "../*")\n}', "file-path"),
    "templatestring": ("locals {\n  a = templatestring(local.b, {})\n}", "templatestring"),
    "provisioner": (
        'resource "aws_instance" "a" {\n  provisioner "local-exec" {\n    command = "x"\n  }\n}',
        "provisioner",
    ),
    "external": ('data "external" "a" {\n  program = ["x"]\n}', "external"),
    "external in a check": ('check "c" {\n  data "external" "a" {\n    program = ["x"]\n  }\n}', "external"),
    "remote state": ('data "terraform_remote_state" "a" {\n  backend = "http"\n}', "remote-state"),
    "git module": ('module "a" {\n  source = "git::https://example.com/x"\n}', "module-source"),
    "registry module": ('module "a" {\n  source = "a/b/aws"\n}', "module-source"),
    "module above": ('module "a" {\n  source = "./../x"\n}', "module-source"),
    "own endpoint": ('provider "aws" {\n  endpoints {\n    s3 = "http://x"\n  }\n}', "provider-setting"),
    "host configuration": ('provider "aws" {\n  shared_config_files = ["x"]\n}', "provider-setting"),
    "two readings of dollars": ('locals {\n  a = ["$$${", file("/p"), "}"]\n}', "unreadable"),
    "a heredoc mark in other letters": ("locals {\n  a = <<É\n/*\nÉ\n}", "unreadable"),
    "a lone carriage return": ('# x\rlocals { a = file("/p") }', "unreadable"),
    "nested too deeply": ("a {" * 20000, "unreadable"),
}

FINE = {
    "words in strings": 'locals {\n  a = "file(\\"/etc/passwd\\") provisioner"\n  b = "$${file(x)}"\n}',
    "comments": 'locals {\n  # file("/etc/passwd")\n  // file("/x")\n  /* file("/x") */\n  a = 1\n}',
    "literal paths": 'locals {\n  a = [file("${path.module}/a.txt"), file("x/y.json"), file("./z.txt")]\n}',
    "root path": 'locals {\n  a = templatefile("${path.root}/a.tftpl", { b = "}" })\n}',
    "fileset": 'locals {\n  a = fileset(path.module, "policies/*.json")\n}',
    "attributes of that name": 'resource "x" "y" {\n  file = "/etc/passwd"\n  source = var.file\n}',
    "backend": 'terraform {\n  backend "s3" {\n    bucket = "x"\n  }\n  cloud {}\n}',
    "providers": 'provider "aws" {\n  alias = "w"\n  assume_role {\n    role_arn = "a"\n  }\n}',
    "module": 'module "a" {\n  source = "./modules/a"\n}',
    "heredoc of a script": 'locals {\n  a = <<-EOT\n    #!/bin/sh\n    x="$1 $${y} \\" `file (z)`"\n  EOT\n}',
    "other letters in strings": 'variable "a" {\n  description = "größer 日本" # ü\n}',
    "windows line ends": "locals {\r\n  a = <<E\r\nx\r\nE\r\n  b = 1\r\n}\r\n",
    "for expressions": 'locals {\n  a = { for k, v in var.m : k => upper(v)... if v != "" }\n}',
}


@pytest.mark.parametrize(("text", "rule"), REFUSED.values(), ids=REFUSED)
def test_constructs_that_run_or_read_are_refused(text: str, rule: str) -> None:
    found = scan(tree(main_tf=text))
    assert {f.rule for f in found} == {rule}
    assert all(
        f.validator == "scan" and f.severity == "high" and f.hint and f.file == "main.tf" for f in found
    )


@pytest.mark.parametrize("text", FINE.values(), ids=FINE)
def test_legitimate_terraform_passes(text: str) -> None:
    assert scan(tree(main_tf=text)) == []


def test_findings_name_the_line() -> None:
    (found,) = scan(tree(main_tf='locals {\n  a = <<E\nx\n${file("/p")}\nE\n}\n'))
    assert found.line == 4


def test_a_path_in_a_module_may_lead_to_another_folder_of_the_tree() -> None:
    inside = 'locals {\n  a = file("${path.module}/../../files/x.txt")\n}'
    assert scan(tree(modules__a__main_tf=inside)) == []
    assert [f.rule for f in scan(tree(modules__main_tf=inside))] == ["file-path"]


def test_what_templatefile_would_evaluate_is_scanned_as_well() -> None:
    files = {
        "main.tf": b'locals {\n  a = templatefile("${path.module}/t.tftpl", {})\n}\n',
        "t.tftpl": b'a\n"${file("/etc/passwd")}\n',
        "unused.tftpl": b'${file("/etc/passwd")}',
    }
    assert [(f.file, f.line, f.rule) for f in scan(Tree(files=files))] == [("t.tftpl", 2, "file-path")]


@pytest.mark.parametrize(
    ("document", "rules"),
    [
        ({"locals": {"a": '${file("/etc/passwd")}'}}, {"file-path"}),
        ({"locals": {'${file("/etc/passwd")}': 1}}, {"file-path"}),
        ({"resource": {"x": {"y": [{"provisioner": {"local-exec": {"command": "x"}}}]}}}, {"provisioner"}),
        ({"resource": [{"x": {"y": {"provisioner": [{"local-exec": {}}]}}}]}, {"provisioner"}),
        ({"data": {"external": {"a": {"program": ["x"]}}}}, {"external"}),
        ({"check": {"c": {"data": {"external": {"a": {}}}}}}, {"external"}),
        ({"module": {"m": {"source": "git::x"}}}, {"module-source"}),
        ({"provider": {"aws": [{"profile": "x"}]}}, {"provider-setting"}),
        ({"resource": {"x": {"y": {"a": "file(", "b": {"c": [1, None, True]}}}}}, set()),
        ({"module": {"m": {"source": "./m"}}}, set()),
    ],
)
def test_the_json_syntax_is_scanned_alike(document: object, rules: set[str]) -> None:
    found = scan(Tree(files={"main.tf.json": json.dumps(document).encode()}))
    assert {f.rule for f in found} == rules


def test_repeated_names_in_json_hide_nothing() -> None:
    text = b'{"data": {"external": {"a": {}}}, "data": {"aws_ami": {"a": {}}}}'
    assert [f.rule for f in scan(Tree(files={"x.tf.json": text}))] == ["external"]


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"[" * 100_000])
def test_json_that_cannot_be_read_is_a_finding(content: bytes) -> None:
    assert [f.rule for f in scan(Tree(files={"x.tf.json": content}))] == ["unreadable"]


def test_hostile_sizes_end() -> None:
    nested = "locals {\n  a = " + "file(" * 100_000 + ")" * 100_000 + "\n}"
    assert [f.rule for f in scan(tree(main_tf=nested))] == ["unreadable"]
    many = "locals {\n  a = [" + "file(x)," * 5000 + "]\n}"
    assert len(scan(tree(main_tf=many))) == MAX_FINDINGS
    # Read in quadratic time, either of these would run into the time-out of the tests.
    assert scan(tree(main_tf="a = <<E\n" + "$a" * 500_000 + "\nE\n")) == []
    assert scan(tree(main_tf='a = "' + "$" * 1_000_000 + '"\n')) == []


@pytest.mark.parametrize("text", ['a = "', "a = <<E\nx", "/* x", 'a = "${', "a {", "}", '"a" = 1', "a b"])
def test_text_without_structure_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(HclError) as error:
        parse("\n" + text + "\n")
    assert error.value.line >= 1


def test_tokens_carry_their_lines() -> None:
    tokens = [t for t in tokenize("a = <<E\nx\nE\nb = 1\n") if t.kind == "ident"]
    assert [(t.text, t.line) for t in tokens] == [("a", 1), ("b", 4)]


HEAD = 'terraform {\n  required_providers {\n    aws = {\n      version = "~> 5.0"\n    }\n  }\n}\n'


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ('resource "aws_a" "y" {\n  name = "z"\n}\nlocals {\n  a = 1\n}', True),
        ('resource "aws_a" "x" {}\nresource "aws_b" "x" {}', True),
        ('resource "other_b" "x" {}', False),
        ('resource "aws_a" "x" {\n  provider = b.c\n}', False),
        ('resource "aws_a" "x" {}\nmodule "m" {\n  source = "./m"\n}', False),
        ('resource "aws_a" "x" {}\nprovider "b" {}', False),
    ],
)
def test_init_is_needed_again_only_where_its_inputs_change(other: str, same: bool) -> None:
    one = init_key(tree(main_tf=HEAD + 'resource "aws_a" "x" {}'))
    assert one is not None
    assert (init_key(tree(main_tf=HEAD + other)) == one) is same
    assert init_key(tree(main_tf=HEAD.replace("5.0", "6.0") + other)) != one


def test_no_init_key_for_what_cannot_be_read() -> None:
    assert init_key(tree(main_tf="a {")) is None


OWN = """provider "aws" {
  region  = "eu-central-1"
  profile = "shop"

  endpoints {
    s3 = "http://mine"
  }
}

module "vpc" {
  source = "registry.example.com/team/vpc/aws"
}

data "terraform_remote_state" "net" {
  backend = "s3"
  config  = { bucket = "states" }
}
"""


@pytest.mark.parametrize("confined", [True, False])
def test_what_the_user_had_in_a_file_stays_theirs_when_the_file_is_changed_elsewhere(confined: bool) -> None:
    brought = Tree(files={"main.tf": OWN.encode()})
    changed = Tree(files={"main.tf": f"# new\nlocals {{\n  a = 1\n}}\n{OWN}".encode()})
    found = scan(changed, confined=confined, brought=brought)
    assert {f.rule for f in found} == (set() if confined else {"remote-state"})
    assert {f.rule for f in scan(changed, confined=confined)} >= {"provider-setting", "module-source"}


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('profile = "shop"', 'profile = "other"', "provider-setting"),
        ('s3 = "http://mine"', 's3 = "http://theirs"', "provider-setting"),
        ("team/vpc/aws", "other/vpc/aws", "module-source"),
        ('bucket = "states"', 'bucket = "others"', "remote-state"),
        ("  region ", '  access_key = "x"\n  region ', "provider-setting"),
    ],
)
def test_what_the_model_puts_in_its_place_is_not(old: str, new: str, rule: str) -> None:
    brought = Tree(files={"main.tf": OWN.encode()})
    changed = Tree(files={"main.tf": OWN.replace(old, new).encode()})
    assert changed != brought
    assert [f.rule for f in scan(changed, confined=True, brought=brought)] == [rule]
    moved = Tree(files={"other.tf": OWN.encode()})
    assert rule in {f.rule for f in scan(moved, confined=True, brought=brought)}

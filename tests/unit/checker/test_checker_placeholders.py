"""Values for variables that have none, and what a place of a program depends on."""

import json

import pytest

from toolkit.checker.placeholders import placeholders
from toolkit.checker.reach import Program, guessed, reach
from toolkit.contracts import Tree


def tree(text: str = "", **files: str) -> Tree:
    named = {name.replace("__", "/").replace("_tf", ".tf"): content for name, content in files.items()}
    return Tree(files={name: content.encode() for name, content in {"main.tf": text, **named}.items()})


def value(name: str, kind: str, check: str = "true") -> object:
    declared = f"""
    variable "{name}" {{
      type = {kind}
      validation {{
        condition     = {check}
        error_message = "no"
      }}
    }}
    """
    return placeholders(tree(declared))[name]


def test_only_what_has_no_value_gets_one() -> None:
    declared = """
    variable "a" {}
    variable "b" { default = null }
    variable "c" {}
    variable "d" {}
    variable "e" {}
    """
    given = {
        "terraform.tfvars": b"c = 1\n",
        "team.auto.tfvars.json": b'{"d": 1}',
        "late_override.tf": b'variable "e" {\n  default = 1\n}\n',
        "other.tfvars": b"a = 1\n",
        "child/main.tf": b'variable "inner" {}',
    }
    assert list(placeholders(Tree(files={"main.tf": declared.encode(), **given}))) == ["a"]


def test_a_program_without_variables_needs_none() -> None:
    assert placeholders(tree('resource "a" "b" {}')) == {}


def test_a_file_that_cannot_be_read_is_terraforms_to_refuse() -> None:
    assert placeholders(tree('variable "a" {}', broken_tf="{{{", x_tf='variable "b" {}')) == {
        "a": "example",
        "b": "example",
    }


@pytest.mark.parametrize(
    ("name", "kind", "made"),
    [
        ("vpc_id", "string", "vpc-0123456789abcde10"),
        ("subnet_ids", "list(string)", ["subnet-0123456789abcde10", "subnet-0123456789abcde20"]),
        ("vpc_cidr", "string", "10.1.0.0/16"),
        ("private_subnet_cidrs", "set(string)", ["10.0.1.0/24", "10.0.2.0/24"]),
        ("topic_arn", "string", "arn:aws:sns:us-east-1:123456789012:example-1"),
        ("role_arn", "string", "arn:aws:iam::123456789012:role/example-1"),
        ("aws_region", "string", "us-east-1"),
        ("availability_zones", "list(string)", ["us-east-1a", "us-east-1b"]),
        ("account_id", "string", "123456789012"),
        ("alert_email", "string", "someone-1@example.com"),
        ("domain_name", "string", "example-1.com"),
        ("environment", "string", "dev"),
        ("db_port", "number", 8080),
        ("retention_days", "number", 30),
        ("enable_logs", "bool", True),
        ("skip_final_snapshot", "bool", False),
        ("tags", "map(string)", {"key1": "example"}),
        ("tags", "any", {"key1": "example"}),
        ("subnet_ids", "any", ["subnet-0123456789abcde10", "subnet-0123456789abcde20"]),
        ("anything", "any", "example"),
        ("names", '"list"', ["example", "example-2"]),
        ("pair", "tuple([string, number])", ["example", 2]),
        ("sizes", "list(list(number))", [[1], [2]]),
        (
            "db",
            "object({ name = string, port = optional(number, 5432), \n zones = list(string)\n on = bool })",
            {"name": "example", "zones": ["us-east-1a", "us-east-1b"], "on": False},
        ),
        ("x", "object({ a = optional(object({ b = string }), { b = \")\" }), c = number })", {"c": 1}),
        ("x", "nonsense", "example"),
    ],
)  # fmt: skip
def test_a_value_is_well_formed_by_type_and_name(name: str, kind: str, made: object) -> None:
    assert value(name, kind) == made


@pytest.mark.parametrize(
    ("kind", "check", "made"),
    [
        ("string", 'contains(["blue", "green"], var.x)', "blue"),
        ("string", 'var.x == "one" || var.x == "two"', "one"),
        ("string", 'startswith(var.x, "team-")', "team-example"),
        ("string", 'endswith(var.x, ".fifo")', "example.fifo"),
        ("string", "length(var.x) >= 10", "examplexxx"),
        ("string", "length(var.x) > 2 && length(var.x) <= 4", "exam"),
        ("string", 'can(regex("^vpc-", var.x))', "vpc-0123456789abcde10"),
        ("string", 'can(regex("^v?[0-9]+\\\\.[0-9]+\\\\.[0-9]+$", var.x))', "1.2.3"),
        ("number", "var.x > 4 && var.x < 9", 5),
        ("number", "var.x <= 0", 0),
        ("number", "contains([2, 4], var.x)", 2),
        ("list(string)", "length(var.x) == 3", ["example", "example-2", "example-3"]),
        ("list(string)", 'alltrue([for k in var.x : contains(["a", "b", "c"], k)])', ["a", "b"]),
    ],
)
def test_a_validation_is_honoured_where_it_is_simple(kind: str, check: str, made: object) -> None:
    assert value("x", kind, check) == made


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(x|x)*y", "(?=a)b", "[", "a*a*a*a*a*a*b", "(.*a){20}", "a{99999999999}"]
)
def test_a_pattern_that_python_might_hang_on_is_not_tried(pattern: str) -> None:
    assert value("x", "string", f'can(regex("{pattern}", var.x))') == "example"


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        ("string", "length(var.x) >= 999999999"),
        ("list(string)", "length(var.x) == 999999999"),
        ("number", "var.x > 1e999"),
        ("number", 'contains(["a"], var.x)'),
        ("list(" * 40 + "string" + ")" * 40, "true"),
        ("list(object({ a = " * 300 + "string" + "}))" * 300, "true"),
    ],
)
def test_no_program_makes_a_value_large(kind: str, check: str) -> None:
    assert len(json.dumps(value("x", kind, check))) < 3_000


def test_json_is_read_as_well() -> None:
    declared = {
        "variable": {
            "ports": {"type": "list(number)"},
            "colour": {
                "validation": {"condition": '${contains(["red"], var.colour)}', "error_message": "no"}
            },
            "known": {"default": list[str]()},
        }
    }
    found = placeholders(Tree(files={"v.tf.json": json.dumps(declared).encode()}))
    assert found == {"ports": [8080, 8081], "colour": "red"}


PROGRAM = """
variable "size" {}

variable "names" {}

data "aws_vpc" "shared" {}

data "aws_iam_policy_document" "read" {}

locals {
  network = data.aws_vpc.shared.id
  sizes   = { big = var.size }
}

resource "aws_x" "a" {
  vpc    = local.network
  memory = 64
  cpu    = "${local.sizes["big"]}m"
  policy = data.aws_iam_policy_document.read.json

  nested {
    id = each.value
  }

  for_each = toset(var.names)
}

module "child" {
  source = "./child"
  count  = 1
  wanted = aws_x.a
}

output "found" {
  value = module.child[0].id
}
"""
CHILD = """
variable "wanted" {}

output "id" {
  value = data.aws_ami.newest.id
}

data "aws_ami" "newest" {
  owner = "x"
}

resource "aws_y" "b" {
  size = var.wanted.size
}
"""


def line(text: str, found: str) -> int:
    return text[: text.index(found)].count("\n") + 1


@pytest.mark.parametrize(
    ("found", "names"),
    [
        ("vpc    =", {"data.aws_vpc.shared"}),
        ("memory =", set[str]()),
        ("cpu    =", {"var.size"}),
        ("policy =", set[str]()),
        ("id = each", {"data.aws_vpc.shared", "var.size", "var.names"}),
        ('resource "aws_x"', {"data.aws_vpc.shared", "var.size", "var.names"}),
        ("value = module", {"data.aws_vpc.shared", "data.aws_ami.newest", "var.size", "var.names"}),
    ],
)
def test_a_place_depends_on_what_its_argument_leads_to(found: str, names: set[str]) -> None:
    assert reach(Program(tree(PROGRAM, child__main_tf=CHILD)), "main.tf", line(PROGRAM, found)) == names


def test_a_modules_variable_leads_to_its_call() -> None:
    found = reach(
        Program(tree(PROGRAM, child__main_tf=CHILD)), "child/main.tf", line(CHILD, "size = var.wanted")
    )
    assert found == {"data.aws_vpc.shared", "var.size", "var.names"}


def test_a_look_ups_own_conditions_depend_on_it() -> None:
    program = """
    data "aws_vpc" "x" {
      lifecycle {
        postcondition {
          condition     = self.enable_dns_support
          error_message = "no names"
        }
      }
    }
    """
    assert guessed(Program(tree(program)), "main.tf", line(program, "condition     ="))


def test_a_module_that_is_not_in_the_tree_may_hold_anything() -> None:
    program = 'module "net" {\n  source = "team/net/aws"\n}\n\noutput "x" {\n  value = module.net.id\n}\n'
    assert guessed(Program(tree(program)), "main.tf", 6)


def test_an_unknown_place_depends_on_everything() -> None:
    assert guessed(Program(tree(PROGRAM, child__main_tf=CHILD)), "", 0)
    assert not guessed(Program(tree('variable "a" {}\nlocals {\n  b = var.a\n}\n')), "gone.tf", 3)
    assert guessed(Program(tree('variable "a" {}\nlocals {\n  b = var.a\n}\n')), "gone.tf", 3, {"a"})


def test_a_place_in_json_depends_on_everything() -> None:
    program = Tree(files={"a.tf.json": b'{"locals": {"b": "${var.a}"}, "output": {"c": {"value": 1}}}'})
    assert reach(Program(program), "a.tf.json", 1) == {"var.a"}


def test_an_object_in_json_is_followed() -> None:
    declared = b'{"locals": {"b": {"c": ["${var.a}"]}}}'
    program = Tree(files={"a.tf.json": declared, "b.tf": b"output x {\n  value = local.b.c\n}\n"})
    assert reach(Program(program), "b.tf", 2) == {"var.a"}


def test_an_unknown_place_may_be_a_providers_own_block() -> None:
    program = tree('provider "aws" {\n  region = var.region\n}\n')
    assert guessed(Program(program), "", 0, {"region"})


def test_only_made_up_variables_make_a_guess() -> None:
    program = tree(PROGRAM, child__main_tf=CHILD)
    place = line(PROGRAM, "cpu    =")
    assert guessed(Program(program), "main.tf", place, {"size"})
    assert not guessed(Program(program), "main.tf", place, {"names"})

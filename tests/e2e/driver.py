"""The command, driven as a person would drive it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3

from toolkit.local import control

FORGOTTEN = ("TFKIT_", "AWS_")


class Tfkit:
    """The command `tfkit` in a home of its own, run by this Python or another."""

    def __init__(self, home: Path, python: Path = Path(sys.executable), **environment: str) -> None:
        self.home = home
        self.python = python
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(FORGOTTEN) or k == "TFKIT_PROVIDER_MIRROR"
        }
        self.environment = {**kept, "TFKIT_HOME": str(home), **environment}

    def __call__(
        self, *arguments: str, stdin: str = "", cwd: Path | None = None
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(self.python), "-m", "toolkit", *arguments],
            env=self.environment,
            cwd=cwd or self.home,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=240,
        )

    def json(self, *arguments: str, code: int = 0, **kwargs: Any) -> Any:
        """Run with --json; the exit code must be this one, and stdout one document."""
        done = self("--json", *arguments, **kwargs)
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    @property
    def folder(self) -> Path:
        return self.home / "local" / "dev"

    def running(self) -> control.Running:
        found = control.find(self.folder)
        assert found, "the emulator does not run"
        return found

    def client(self, service: str) -> Any:
        """A root client of the emulator."""
        running = self.running()
        return boto3.client(
            service,
            endpoint_url=running.endpoint,
            region_name="us-east-1",
            aws_access_key_id=running.key,
            aws_secret_access_key=running.secret,
        )

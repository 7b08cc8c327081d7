"""A terraform that only notes how it is called, and trees in one line."""

import stat
import sys
from pathlib import Path

from toolkit.contracts import Tree

HEAD = """terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}
"""

FAKE = """#!{python}
import json, os, subprocess, sys, time
place = os.path.dirname(os.path.abspath(__file__))
verb = sys.argv[1]
with open(os.path.join(place, "calls"), "a") as log:
    log.write(verb + "\\n")
with open(os.path.join(place, "environment"), "w") as log:
    json.dump(dict(os.environ), log)
if verb == "version":
    print(json.dumps({{"terraform_version": "1.11.4", "platform": "linux_amd64"}}))
{behaviour}
if verb == "init":
    print(json.dumps({{"type": "init_output"}}))
if verb == "validate":
    print(json.dumps({{"valid": True, "diagnostics": []}}))
"""


def tree(**files: str) -> Tree:
    """A tree from keywords: `main_tf="…"` is main.tf, `m__main_tf` is m/main.tf."""
    named = {name.replace("__", "/").replace("_tf", ".tf"): text.encode() for name, text in files.items()}
    return Tree(files=named)


class Fake:
    """A script in the place of terraform that notes how it is called."""

    def __init__(self, folder: Path, behaviour: str) -> None:
        self.folder = folder
        self.path = folder / "terraform"
        self.path.write_text(FAKE.format(python=sys.executable, behaviour=behaviour))
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)

    def calls(self, verb: str) -> int:
        log = self.folder / "calls"
        return log.read_text().split().count(verb) if log.exists() else 0

"""Runs what a page says: its commands in order, as a reader would type them, and compares what it shows.

    page ──▶ read: steps ──▶ Session: a shell of the page's own ──▶ Done: exit code, output ──▶ unlike

A step is a command or a file to write:

- in a ```console fence, a line that begins with `$ `, with what it prints below; a line that ends with a
  backslash goes on in the next;
- a line of an indented block (four spaces): a command and no output;
- a fence of another language whose first line is a comment with a file's name: that file.

A command that does not end with 0 has a comment that says with what: `# exit 6`. Whatever else stands after
two spaces and a `#` is for the reader alone. What is shown is compared loosely: each shown line must be in
the output, in that order, with numbers, times, ids and hashes taken for alike; `…` stands for anything.

RUN_ID and CONVERSATION_ID in a command stand for those that were printed last.

`<!-- tested: WORDS -->` tells the runner what a page needs (`DIRECTIVES`).
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

FORGOTTEN = ("TFKIT_", "AWS_", "GIT_", "GH_", "GITHUB_", "XDG_")
"""What a new user's shell does not have."""

DIRECTIVE = re.compile(r"<!-- tested: (.*?) -->\Z")
DIRECTIVES = {
    "on the platform of the README": "shares the README's home, whose platform is up, in a folder of its own",
    "after the pages on this platform": "from here on the page is run when those have been",
    "with a model server": "an OpenAI-compatible server answers at http://127.0.0.1:11434/v1",
    "in a clone of the shop": "begins in a clone with a remote on GitHub, and a token for it",
    "in an environment of its own": "`pip install` of a folder goes into an environment that has tfkit",
}

FENCE = re.compile(r"^```(\w*)\s*$")
FILE = re.compile(r"^(?:#|//) ([\w./-]+\.\w+)$")
WRITTEN = {"toml", "python", "hcl", "yaml", "rego"}
EXIT = re.compile(r"#.*?\bexit (\d+)\b")
COMMENT = re.compile(r"(?:^|\s{2,})# .*$")


NAMED = {
    "RUN_ID": re.compile(r"\brun ([0-9a-z]{16})\b"),
    "CONVERSATION_ID": re.compile(r"--conversation ([0-9a-z]{16})\b"),
}


class Step(NamedTuple):
    """What a page has the reader do. `file` is written with `text`, or `text` is a command."""

    line: int
    text: str
    file: str = ""
    code: int = 0
    shown: tuple[str, ...] = ()


class Page(NamedTuple):
    """A page as its reader goes through it; `later` are the steps after the pages on its platform."""

    name: str
    directives: frozenset[str]
    steps: tuple[Step, ...]
    later: tuple[Step, ...] = ()

    def commands(self) -> list[Step]:
        """All commands, in order."""
        return [step for step in (*self.steps, *self.later) if not step.file]


class Done(NamedTuple):
    """How a command ended."""

    code: int
    output: str


def read(path: Path) -> Page:
    """The steps of a page. Raises `ValueError` for a fence without an end, or a directive that is none."""
    directives, steps, later = set[str](), list[Step](), None
    for number, kind, lines in _blocks(path.read_text("utf-8").splitlines()):
        if kind == "directive":
            if lines[0] not in DIRECTIVES:
                raise ValueError(f"{path.name}:{number}: no such directive: {lines[0]}")
            directives.add(lines[0])
            later = [] if lines[0].startswith("after") else later
            continue
        found = list(_steps(number, kind, lines))
        (steps if later is None else later).extend(found)
    return Page(_name(path), frozenset(directives), tuple(steps), tuple(later or ()))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def _blocks(lines: list[str]) -> Iterator[tuple[int, str, list[str]]]:
    """Fences by their language, indented blocks, directives: the first line's number, the kind, the lines."""
    at = 0
    while at < len(lines):
        begin = at
        at += 1
        if fence := FENCE.match(lines[begin]):
            while at < len(lines) and lines[at] != "```":
                at += 1
            if at == len(lines):
                raise ValueError(f"line {begin + 1}: this fence has no end")
            yield begin + 2, fence[1], lines[begin + 1 : at]
            at += 1
        elif told := DIRECTIVE.match(lines[begin]):
            yield begin + 1, "directive", [told[1]]
        elif lines[begin].startswith("    ") and (begin == 0 or not lines[begin - 1].strip()):
            while at < len(lines) and lines[at].startswith("    "):
                at += 1
            yield begin + 1, "indented", [line[4:] for line in lines[begin:at]]


def _steps(number: int, kind: str, lines: list[str]) -> Iterator[Step]:
    if kind == "indented":
        for at, line in enumerate(lines):
            yield _command(number + at, line, ())
    elif kind == "console":
        yield from _console(number, lines)
    elif kind in WRITTEN and lines and (named := FILE.match(lines[0])):
        yield Step(number, "\n".join(lines[1:]) + "\n", file=named[1])


def _console(number: int, lines: list[str]) -> Iterator[Step]:
    at = 0
    while at < len(lines):
        begin, command = at, lines[at].removeprefix("$ ")
        if not lines[at].startswith("$ "):
            raise ValueError(f"line {number + at}: output of no command: {lines[at]}")
        at += 1
        while command.endswith("\\"):
            command = f"{command[:-1]}{lines[at].strip()}"
            at += 1
        end = at
        while end < len(lines) and not lines[end].startswith("$ "):
            end += 1
        shown = tuple(line for line in lines[at:end] if line.strip())
        yield _command(number + begin, command, shown)
        at = end


def _command(number: int, line: str, shown: tuple[str, ...]) -> Step:
    said = EXIT.search(line)
    text = COMMENT.sub("", line).strip()
    return Step(number, text, code=int(said[1]) if said else 0, shown=shown)


class Session:
    """A shell that a page has to itself: a home, a folder, and what `cd` and `export` left."""

    def __init__(self, home: Path, folder: Path | None = None, environment: Mapping[str, str] = {}) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.folder = folder or home
        self.folder.mkdir(exist_ok=True)
        self.named: dict[str, str] = {}
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(FORGOTTEN) or name == "TFKIT_PROVIDER_MIRROR"
        }
        place = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
        self.environment = {
            **kept, "PATH": place, "HOME": str(home), "TFKIT_HOME": str(home / "tfkit"),
            "COLUMNS": "110", "NO_COLOR": "1", "AWS_EC2_METADATA_DISABLED": "true", **environment,
        }  # fmt: skip

    def do(self, step: Step) -> Done:
        """Do a step; a file is written below the folder."""
        if step.file:
            place = self.folder / step.file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(step.text, "utf-8")
            return Done(0, "")
        text = step.text
        for name, value in self.named.items():
            text = text.replace(name, value)
        done = self._run(text)
        for name, pattern in NAMED.items():
            if found := pattern.findall(done.output):
                self.named[name] = found[-1]
        return done

    def _run(self, command: str) -> Done:
        """In a bash of its own, which leaves its folder and its variables to the next."""
        left = self.home / ".left"
        script = f"{command}\ncode=$?\n{{ pwd; env -0; }} > {shlex.quote(str(left))}\nexit $code"
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240,
        )  # fmt: skip
        if left.exists():
            where, _, variables = left.read_text("utf-8").partition("\n")
            self.folder = Path(where)
            self.environment = dict(v.split("=", 1) for v in variables.split("\0") if "=" in v)
            left.unlink()
        return Done(done.returncode, done.stdout.decode("utf-8", "replace"))


ALIKE = [
    (re.compile(r"\d{4}-\d\d-\d\d(?:T[\d:.]+Z?)?|\b\d\d-\d\d \d\d:\d\d\b"), "TIME"),
    (re.compile(r"\b(?:[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32,})\b"), "HASH"),
    (re.compile(r"\b(?=[0-9a-z]*\d)[0-9a-z]{16}\b"), "ID"),
    (re.compile(r"\b\d(?:[\d,.]*\d)?(?:[kMs%]|ms)?(?!\w)"), "N"),
    (re.compile(r"\s+"), " "),
]


def alike(line: str) -> str:
    """A line without what differs from run to run."""
    for pattern, word in ALIKE:
        line = pattern.sub(word, line)
    return line.strip()


def unlike(shown: Iterable[str], output: str) -> str:
    """The first shown line that is not in the output, or stands there before its predecessor; else empty."""
    lines = iter([alike(line) for line in output.splitlines()])
    for line in shown:
        if line.strip() == "…":
            continue
        wanted = re.compile(".*".join(re.escape(part) for part in alike(line).split("…")))
        if not any(wanted.fullmatch(printed) for printed in lines):
            return line
    return ""

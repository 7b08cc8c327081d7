"""What is refused before any tool sees a tree: constructs that run code or read the host (FACTS §6).

By construct, not by word: a string that contains `file(` is fine, a call of `file` inside a heredoc's
`${…}` is not. Each finding says what to write instead.

What cannot be decided by reading (a path that is computed, a template that is) is left to Landlock where it
confines what terraform can open, and refused where nothing would. What plainly leaves the workspace is always
refused: the sandbox holds it here, and it would not work anywhere else.
"""

import posixpath
from collections.abc import Iterator
from enum import Enum
from itertools import islice

from toolkit.checker.hcl import Attribute, Block, Call, calls, literal
from toolkit.checker.sources import module_files
from toolkit.checker.tokens import HclError, Tokens, parse_template
from toolkit.contracts import Finding, Tree

_PATH_CALLS = {"file", "fileexists", "filebase64", "fileset", "templatefile", "filemd5", "filesha1"}
_PATH_CALLS |= {"filesha256", "filesha512", "filebase64sha256", "filebase64sha512"}
_PROVIDER_READS = {
    "shared_config_files": "it can name a program to run",
    "shared_config_file": "it can name a program to run",
    "shared_credentials_files": "it reads files of the host",
    "shared_credentials_file": "it reads files of the host",
    "profile": "it reads credentials of the host",
    "custom_ca_bundle": "it reads a file of the host",
    "http_proxy": "it sends requests elsewhere",
    "https_proxy": "it sends requests elsewhere",
    "ec2_metadata_service_endpoint": "it sends requests elsewhere",
    "endpoints": "it sends requests elsewhere",
    "assume_role_with_web_identity": "it reads a token file of the host",
    "access_key": "credentials do not belong into code",
    "secret_key": "credentials do not belong into code",
    "token": "credentials do not belong into code",
}
_PROVIDER_HINT = "Leave it out; region and default_tags are enough, credentials come from the environment."
_OWN_CHOICE = {"provider-setting", "module-source"}
"""Where a user's provider and modules come from: validate configures no provider, and runs no module."""

_AS_IT_WAS = {*_OWN_CHOICE, "remote-state"}
"""What may stay in a file of the user's that was changed elsewhere, where the sandbox holds what it reads."""

_NOTHING_HOLDS = "without Landlock nothing would keep it from reading files of this machine"

MAX_FINDINGS = 50


def scan(
    tree: Tree, *, own: frozenset[str] = frozenset(), confined: bool = False, brought: Tree | None = None
) -> list[Finding]:
    """Findings of the validator `scan` (severity high), in the order of the files.

    `confined` says that terraform will be able to open nothing outside the workspace. The user's `own` files
    are passed over where it is so, and where there are no others; elsewhere a model's file could make one of
    them show what it reads, so only what `_OWN_CHOICE` names is left to the user. The same is left in a file
    that was changed, as far as it stands word for word in what was `brought`. A file that cannot be read is a
    finding with the rule `unreadable`; whether terraform has a better message is the caller's to find out.
    """
    trusted = own if confined or own >= tree.files.keys() else frozenset[str]()
    found = _scan(tree, trusted, confined)
    theirs = _as_it_was(tree, brought or Tree(), confined)
    left = (
        finding
        for finding in found
        if (finding.file not in own or finding.rule not in _OWN_CHOICE)
        and (finding.rule not in _AS_IT_WAS or _said(tree, finding) not in theirs)
    )
    return list(islice(left, MAX_FINDINGS))


def _as_it_was(tree: Tree, brought: Tree, confined: bool) -> frozenset[tuple[str, str, str]]:
    """What the scan had to say of changed files before they were changed, where it is the user's choice."""
    changed = {
        path: content
        for path, content in brought.files.items()
        if path in tree.files and tree.files[path] != content
    }
    before = Tree(files=changed)
    rules = _AS_IT_WAS if confined else _OWN_CHOICE
    return frozenset(_said(before, f) for f in _scan(before, frozenset(), confined) if f.rule in rules)


def _said(tree: Tree, finding: Finding) -> tuple[str, str, str]:
    """A finding with the statement that it speaks of, whole: a setting, or a block up to its last bracket."""
    lines = tree.files[finding.file].decode("utf-8", "replace").split("\n")[finding.line - 1 :]
    statement: list[str] = []
    depth = 0
    for line in lines:
        statement.append(line.strip())
        depth += sum(line.count(c) for c in "({[") - sum(line.count(c) for c in ")}]")
        if depth <= 0:
            break
    return finding.file, finding.message, "\n".join(statement)


def _scan(tree: Tree, trusted: frozenset[str], confined: bool) -> Iterator[Finding]:
    templates: set[str] = set()
    for path, file in module_files(tree):
        if path in trusted:
            continue
        if isinstance(file, HclError):
            yield _finding("unreadable", path, file.line, str(file), "Write plain Terraform syntax.")
        else:
            yield from _Scan(path, templates, confined).file(file)
    for path in sorted((templates & tree.files.keys()) - trusted):
        yield from _scan_template(path, tree.files[path], confined)


def _scan_template(path: str, content: bytes, confined: bool) -> Iterator[Finding]:
    """What templatefile() would evaluate; it cannot name a template of its own."""
    try:
        token = parse_template(content.decode())
        for call in calls([token]):
            yield from _Scan(path, set(), confined, base="").call(call)
    except (HclError, UnicodeDecodeError) as error:
        line = error.line if isinstance(error, HclError) else 0
        yield _finding("unreadable", path, line, f"no template: {error}", "Write a plain template.")


class _Path(Enum):
    """Why a path is not known: it leaves the workspace, or something in it is computed."""

    LEAVES = "leaves"
    COMPUTED = "computed"


class _Scan:
    """One file: `base` is the folder that `path.module` stands for; templates that it names are collected."""

    def __init__(self, path: str, templates: set[str], confined: bool, base: str | None = None) -> None:
        self.path = path
        self.confined = confined
        self.base = posixpath.dirname(path) if base is None else base
        self.templates = templates

    def file(self, top: Block) -> Iterator[Finding]:
        for block in top.blocks:
            yield from self._top_level(block)
        for block in top.walk():
            if block.type in ("provisioner", "connection") and block is not top:
                yield self._found(
                    "provisioner",
                    block.line,
                    f"{block.type} blocks run commands",
                    "Use user_data or a service.",
                )
            for attribute in block.attributes:
                for call in calls(attribute.value):
                    yield from self.call(call)

    def _top_level(self, block: Block) -> Iterator[Finding]:
        kinds = _data_kinds(block)
        if "external" in kinds:
            yield self._found("external", block.line, "data external runs a program", "Use a variable.")
        if "terraform_remote_state" in kinds:
            yield self._found(
                "remote-state",
                block.line,
                "terraform_remote_state reads a backend",
                "Use a variable or a look-up.",
            )
        if block.type == "module":
            yield from self._module(block)
        if block.type == "provider":
            names = [(a.name, a.line) for a in block.attributes] + [(b.type, b.line) for b in block.blocks]
            for name, line in names:
                if why := _PROVIDER_READS.get(name):
                    yield self._found("provider-setting", line, f"{name}: {why}", _PROVIDER_HINT)

    def _module(self, block: Block) -> Iterator[Finding]:
        source = next((a for a in block.attributes if a.name == "source"), None)
        if source is None:
            return
        text = literal(source.value)
        if text is None or not text.startswith("./") or ".." in text.split("/"):
            hint = "Write the module into this workspace and use source = \"./…\" without '..'."
            yield self._found(
                "module-source", source.line, f"module source {_shown(source)} is not local", hint
            )

    def call(self, call: Call) -> Iterator[Finding]:
        """What is wrong with one function call; remembers the template of a good templatefile()."""
        if call.name == "templatestring" and not self.confined:
            message = f"templatestring evaluates text as code; {_NOTHING_HOLDS}"
            hint = "Use templatefile() with a file of this workspace, or a string with ${…}."
            yield self._found("templatestring", call.line, message, hint)
        if call.name not in _PATH_CALLS:
            return
        paths = [self._resolve(argument) for argument in call.arguments[: 2 if call.name == "fileset" else 1]]
        hint = f'Write {call.name}("${{path.module}}/name") with a literal name of a file in this workspace.'
        if not paths or _Path.LEAVES in paths:
            message = f"{call.name}() with a path that leaves the workspace"
            yield self._found("file-path", call.line, message, hint)
        elif _Path.COMPUTED in paths and not self.confined:
            message = f"{call.name}() with a path that is not literal; {_NOTHING_HOLDS}"
            yield self._found("file-path", call.line, message, hint)
        elif call.name == "templatefile" and isinstance(paths[0], str):
            self.templates.add(paths[0])

    def _resolve(self, argument: Tokens) -> "str | _Path":
        """The path below the root that an expression names, where it is literal and stays there."""
        if _is_path(argument):
            return self._below(argument[2].text, "")
        if len(argument) != 1 or argument[0].kind != "string":
            return _Path.COMPUTED
        first, *others = argument[0].parts or ("",)
        # A name in the place of what is computed: what the literal parts make of it is what can be known.
        rest = "".join(part if isinstance(part, str) else "x" for part in others)
        if isinstance(first, str):
            path = self._below("", first + rest)
        elif _is_path(first):
            path = self._below(first[2].text, rest) if rest[:1] in ("", "/") else _Path.LEAVES
        else:
            return _Path.COMPUTED
        literal_to_the_end = all(isinstance(part, str) for part in others)
        return path if literal_to_the_end or path is _Path.LEAVES else _Path.COMPUTED

    def _below(self, base: str, rest: str) -> "str | _Path":
        # Without a base a slash or a tilde leads out; after one, the slash only parts the name from it.
        if not base and rest.startswith(("/", "~")):
            return _Path.LEAVES
        start = self.base if base == "module" else ""
        path = posixpath.normpath(posixpath.join(start, rest.lstrip("/")))
        return _Path.LEAVES if path.startswith("..") or "\0" in path else path

    def _found(self, rule: str, line: int, message: str, hint: str) -> Finding:
        return _finding(rule, self.path, line, message, hint)


def _data_kinds(block: Block) -> set[str]:
    """The kinds of data source that a block declares, itself or (a check block) inside."""
    return {inner.labels[0] for inner in block.walk() if inner.type == "data" and inner.labels}


def _is_path(tokens: Tokens) -> bool:
    """Whether the expression is `path.module`, `path.root` or `path.cwd`; the last two are the root here."""
    texts = [token.text for token in tokens if token.kind != "newline"]
    return len(tokens) == 3 and texts[:2] == ["path", "."] and texts[2] in ("module", "root", "cwd")


def _shown(attribute: Attribute) -> str:
    return "".join(token.text for token in attribute.value)[:100]


def _finding(rule: str, path: str, line: int, message: str, hint: str) -> Finding:
    return Finding(
        validator="scan", rule=rule, severity="high", message=message, file=path, line=line, hint=hint
    )

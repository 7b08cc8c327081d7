"""A clean copy of a tree: only regular files whose names no tool executes or obeys.

Anything else is refused with the reason, never left out in silence, so that what is checked is byte for
byte what is delivered. The rule for names is `path_problem`; the agent's file tools ask it before they write.

Files that a user brought along and that nobody has changed since are the user's `own` (`unchanged`). They
keep names that a model may not write: variable values, override files, whatever lies beside the code.
"""

import os
import re
import stat
from pathlib import Path, PurePosixPath

from toolkit.contracts import Finding, Tree
from toolkit.errors import UsageError

MAX_FILES = 500
MAX_FILE_BYTES = 1024 * 1024
MAX_TREE_BYTES = 4 * 1024 * 1024
MAX_PATH_CHARS = 200
MAX_DEPTH = 12

ALLOWED_ENDINGS = (
    ".tf", ".tf.json", ".tfvars.example", ".tftpl", ".tpl", ".tmpl", ".md", ".txt",
    ".json", ".yaml", ".yml", ".py", ".js", ".sh", ".sql", ".html",
)  # fmt: skip
"""Terraform, its templates, and the sources and documents that a prompt asks for."""

OVERRIDE_NAME = "zz_tfkit_override.tf"
"""The checker's own override file; no tree can hold this name because every `*_override.tf` is refused."""

OURS_BEGIN = "zz_tfkit"
"""The checker's own files begin so, the override and those of a rehearsal."""

OVERRIDE = b'terraform {\n  backend "local" {}\n}\n'
"""A backend in an override file takes the place of any `backend` or `cloud` block of the configuration
(Terraform's documentation, "Override Files"), so a planted one is void whatever it says."""

# What terraform takes for configuration beside *.tf, by the part before `.json` (FACTS §6).
_OBEYED_JSON = re.compile(
    r"\.(tfvars|tftest|tfmock|tfstate|tofu|tfquery|tfstack|tfcomponent|tfdeploy)\.json$"
)
_OBEYED = (".tfvars", ".tofu", ".tfstate", ".lock.hcl", ".tftest.hcl")
_STATE = (".tfstate", ".tfstate.json", ".tfstate.backup")
_OVERRIDE_FILE = re.compile(r"(^|_)override\.tf(\.json)?$")
_PART = re.compile(r"[A-Za-z0-9_@+=,()\[\]][A-Za-z0-9_.@+=,()\[\] -]*")


def unchanged(tree: Tree, brought: Tree) -> frozenset[str]:
    """The paths of the files in `tree` that are, byte for byte, files of the tree that a user brought."""
    return frozenset(path for path, content in tree.files.items() if brought.files.get(path) == content)


def path_problem(path: str, *, own: bool = False) -> str | None:
    """Why a tree may not hold this path, in words that say what to do instead; None where it may.

    `path` is relative to the tree's root and written with `/`; `own` says that its file is the user's own.
    Sizes and counts are `stage_findings`' part.
    """
    if not path or len(path) > MAX_PATH_CHARS:
        return f"a path has between 1 and {MAX_PATH_CHARS} characters"
    if "\\" in path or "\0" in path:
        return "a path is written with / and without backslashes or NUL"
    if path.startswith("/"):
        return "absolute paths are refused; write it relative to the workspace"
    parts = path.split("/")
    if len(parts) > MAX_DEPTH:
        return f"no more than {MAX_DEPTH} folders deep"
    if problem := next((problem for part in parts if (problem := _part_problem(part, own))), None):
        return problem
    if parts[-1].casefold().startswith(OURS_BEGIN):
        return f"{parts[-1]}: names that begin with {OURS_BEGIN} are the checker's; give it another name"
    return _own_name_problem(path) if own else _name_problem(parts[-1])


def _part_problem(part: str, own: bool) -> str | None:
    if part in ("", ".", ".."):
        return "empty parts, '.' and '..' are refused; write the path from the workspace's root"
    if part.startswith("."):
        return f"{part}: files and folders that begin with a dot configure tools and are refused"
    if part.casefold() == "terraform.d":
        return "terraform.d/ holds plugins that terraform would execute; it is refused"
    if own and part.isprintable():
        return None
    if not _PART.fullmatch(part) or part.endswith((".", " ")):
        return f"{part!r}: use letters, digits and _ - . in names"
    return None


def _name_problem(name: str) -> str | None:
    # Compared without case because some file systems do so too, and terraform would then find the file.
    name = name.casefold()
    if _OVERRIDE_FILE.search(name):
        return f"{name}: override files change what is checked; put the settings into the block itself"
    if name.endswith(_OBEYED) or _OBEYED_JSON.search(name):
        return f"{name}: terraform reads it on its own; use variable defaults, or a *.tfvars.example"
    if not name.endswith(ALLOWED_ENDINGS):
        return f"{name}: only these names are taken: " + " ".join(f"*{end}" for end in ALLOWED_ENDINGS)
    return None


def _own_name_problem(path: str) -> str | None:
    name = path.rpartition("/")[2].casefold()
    if name.endswith(_STATE):
        return f"{name}: state is no part of what is checked; leave it out"
    # Override files are merged in the order of their names, and the last word is to be the checker's.
    if "/" not in path and _OVERRIDE_FILE.search(name) and name >= OVERRIDE_NAME:
        return f"{name}: it would come after the checker's own override file; give it another name"
    return None


def stage_findings(tree: Tree, own: frozenset[str] = frozenset()) -> list[Finding]:
    """Everything about a tree that keeps it from being staged: names, clashes, sizes and counts.

    `own` are the paths of the files that are the user's own.
    """
    found = [
        _finding("refused-path", problem, path)
        for path in sorted(tree.files)
        if (problem := path_problem(path, own=path in own))
    ]
    found += _clashes(tree)
    found += [
        _finding("too-large", f"{len(content)} bytes; a file may have {MAX_FILE_BYTES}", path)
        for path, content in sorted(tree.files.items())
        if len(content) > MAX_FILE_BYTES
    ]
    total = sum(map(len, tree.files.values()))
    if len(tree.files) > MAX_FILES:
        found.append(_finding("too-many-files", f"{len(tree.files)} files; a tree may have {MAX_FILES}"))
    if total > MAX_TREE_BYTES:
        found.append(_finding("too-large", f"{total} bytes in all; a tree may have {MAX_TREE_BYTES}"))
    return found


def _clashes(tree: Tree) -> list[Finding]:
    """Paths that one file system may not hold: a file that is a folder too, names equal but for case."""
    found, seen = list[Finding](), dict[str, str]()
    folders = {str(parent).casefold() for path in tree.files for parent in PurePosixPath(path).parents}
    for path in sorted(tree.files):
        if path.casefold() in folders:
            found.append(_finding("path-clash", "the same name is a file and a folder", path))
        if (other := seen.setdefault(path.casefold(), path)) != path:
            found.append(_finding("path-clash", f"differs from {other} only in upper and lower case", path))
    return found


def _finding(rule: str, message: str, path: str = "") -> Finding:
    # A hostile name must not carry control characters into a terminal or a prompt.
    shown = "".join(c if c.isprintable() else "?" for c in path)[:MAX_PATH_CHARS]
    text = "".join(c if c.isprintable() else "?" for c in message)[:500]
    return Finding(validator="staging", rule=rule, severity="high", message=text, file=shown)


def stage(tree: Tree, root: Path, own: frozenset[str] = frozenset()) -> list[Finding]:
    """Write the tree into `root`, which must not exist yet, with the checker's override file.

    `own` is as for `stage_findings`. Returns what was refused; then nothing is written. Raises
    `FileExistsError` where `root` is there already and `OSError` where the disk does not take it.
    """
    if found := stage_findings(tree, own):
        return found
    root.mkdir(mode=0o700, parents=True)
    for path, content in {**tree.files, OVERRIDE_NAME: OVERRIDE}.items():
        target = root / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # "x" neither follows a symlink nor writes into a file that is there.
        with target.open("xb") as file:
            file.write(content)
    return []


def read_tree(root: Path, *, left_out: list[str] | None = None) -> Tree:
    """The regular files of a folder as a tree; no symlink is followed, below the root.

    Entries that begin with a dot, states and `terraform.d/` are appended to `left_out` where it is given (a
    user's own `.git` and the like stay where they are, and are named); without it entries with a dot are
    refused as everything else that is no regular file. Raises `UsageError` for such an entry and past the
    limits of a tree.
    """
    files: dict[str, bytes] = {}
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise UsageError(f"{root} cannot be read: {error.strerror}", "Name a folder.") from error
    try:
        _read_folder(folder, "", files, left_out)
    finally:
        os.close(folder)
    return Tree(files=files)


def _read_folder(folder: int, prefix: str, files: dict[str, bytes], left_out: list[str] | None) -> None:
    for name in sorted(os.listdir(folder)):
        path = prefix + name
        if left_out is not None and _stays_out(name):
            left_out.append(path)
            continue
        if name.startswith("."):
            raise UsageError(f"{path}: files that begin with a dot are not taken")
        try:
            # O_NONBLOCK, so that opening a FIFO does not wait for its other end.
            entry = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        except OSError as error:
            raise UsageError(f"{path} is a symlink or cannot be read ({error.strerror})") from error
        try:
            _read_entry(entry, path, files, left_out)
        finally:
            os.close(entry)


def _stays_out(name: str) -> bool:
    return name.startswith(".") or name == "terraform.d" or name.endswith(_STATE)


def _read_entry(entry: int, path: str, files: dict[str, bytes], left_out: list[str] | None) -> None:
    mode = os.fstat(entry).st_mode
    if stat.S_ISDIR(mode):
        if path.count("/") >= MAX_DEPTH:
            raise UsageError(f"{path}: more than {MAX_DEPTH} folders deep")
        _read_folder(entry, path + "/", files, left_out)
        return
    if not stat.S_ISREG(mode):
        raise UsageError(f"{path} is no regular file")
    with open(entry, "rb", closefd=False) as file:
        files[path] = file.read(MAX_FILE_BYTES + 1)
    if len(files[path]) > MAX_FILE_BYTES:
        raise UsageError(f"{path} is larger than {MAX_FILE_BYTES} bytes")
    if len(files) > MAX_FILES or sum(map(len, files.values())) > MAX_TREE_BYTES:
        raise UsageError(f"a tree has at most {MAX_FILES} files and {MAX_TREE_BYTES} bytes")

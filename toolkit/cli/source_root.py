"""Where a folder lies in its repository: what code scanning and annotations name files by."""

from collections.abc import Mapping
from pathlib import Path


def below_source_root(folder: Path, environment: Mapping[str, str]) -> str:
    """The path of the folder from the repository's root, with `/` and without an end; empty for the root.

    The root is GITHUB_WORKSPACE, else the nearest folder above with a `.git`, else the folder itself.
    """
    here = folder.resolve()
    workspace = environment.get("GITHUB_WORKSPACE")
    roots = [Path(workspace).resolve()] if workspace else []
    roots += [above for above in (here, *here.parents) if (above / ".git").exists()]
    root = next((root for root in roots if here.is_relative_to(root)), here)
    path = here.relative_to(root).as_posix()
    return "" if path == "." else path


def joined(place: str, file: str) -> str:
    """A file of the folder, named from the repository's root."""
    return f"{place}/{file}" if place and file else place or file

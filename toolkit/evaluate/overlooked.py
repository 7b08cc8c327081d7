"""What a program says of its author's machine and nothing else: the judge overlooks it, and says so.

    required_version, version    a constraint that nothing at hand meets (what is met stays as it is)
    profile                      of the provider: the name of the author's own credentials

IaC-Eval's answers pin the terraform of its own harness (`~> 1.9.8`) and providers of several years, and name
a profile of its authors'. The gate of a run refuses a profile, and a run's rehearsal voids it; so it says
nothing about what was asked for, and the judge takes it out before the checker sees the program.
"""

import re
from collections.abc import Callable, Sequence

from toolkit.contracts import Tree

ANY = ">= 0.0.0"

_CORE = re.compile(r'^([ \t]*required_version[ \t]*=[ \t]*)"([^"\n$%\\]*)"', re.MULTILINE)
_PROVIDER = re.compile(r'(\baws\s*=\s*\{[^{}"]*(?:"[^"\n]*"[^{}"]*)*?\bversion\s*=\s*)"([^"\n$%\\]*)"')
_SHORT = re.compile(r'(\brequired_providers\s*\{\s*aws\s*=\s*)"([^"\n$%\\]*)"')

_PROFILE = re.compile(
    r'(\bprovider\s+"aws"\s*\{[^{}"]*(?:"[^"\n]*"[^{}"]*)*?^[ \t]*)(profile[ \t]*=[ \t]*"[^"\n$%\\]*")',
    re.MULTILINE,
)

_PART = re.compile(r"\s*(=|!=|>|>=|<|<=|~>)?\s*(\d+(?:\.\d+){0,2})\s*")


def without(tree: Tree, terraform: str, provider: Sequence[str]) -> tuple[Tree, list[str]]:
    """The tree without what is overlooked, and what that was, as it stood there.

    `terraform` is the version at hand, `provider` are those of the AWS provider; none is: not known.
    """
    overlooked: list[str] = []

    def dropping(found: "re.Match[str]") -> str:
        overlooked.append(" ".join(found[2].split()))
        return found[1]

    def meeting(name: str, versions: Sequence[str]) -> Callable[["re.Match[str]"], str]:
        def replace(found: "re.Match[str]") -> str:
            if not versions or any(meets(version, found[2]) for version in versions):
                return found[0]
            overlooked.append(f"{name} {found[2]}")
            return f'{found[1]}"{ANY}"'

        return replace

    files = dict(tree.files)
    for path, content in tree.files.items():
        if path.endswith(".tf"):
            text = content.decode("utf-8", "surrogateescape")
            text = _CORE.sub(meeting("terraform", [terraform]), text)
            for pattern in (_PROVIDER, _SHORT):
                text = pattern.sub(meeting("hashicorp/aws", provider), text)
            text = _PROFILE.sub(dropping, text)
            files[path] = text.encode("utf-8", "surrogateescape")
    return (Tree(files=files) if overlooked else tree), overlooked


def meets(version: str, constraint: str) -> bool:
    """Whether a version meets a constraint: https://developer.hashicorp.com/terraform/language/expressions/version-constraints

    What cannot be read as a constraint is left to terraform, and counts as met.
    """
    parts = [_PART.fullmatch(part) for part in constraint.split(",")]
    if not all(parts):
        return True
    has = _numbers(version)
    return all(_holds(has, found[1] or "=", found[2]) for found in parts if found)


def _holds(has: tuple[int, ...], operator: str, text: str) -> bool:
    bound = _numbers(text)
    if operator == "~>":  # the last number given may grow, the ones before it may not
        fixed = max(1, text.count("."))
        return has >= bound and has[:fixed] == bound[:fixed]
    return {
        "=": has == bound,
        "!=": has != bound,
        ">": has > bound,
        ">=": has >= bound,
        "<": has < bound,
        "<=": has <= bound,
    }[operator]


def _numbers(text: str) -> tuple[int, ...]:
    numbers = [int(part) for part in re.findall(r"\d+", text)[:3]]
    return tuple(numbers + [0] * (3 - len(numbers)))

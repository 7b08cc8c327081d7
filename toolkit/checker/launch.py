"""Started as a script in front of a tool: limits and confines itself, then becomes the tool.

A launcher instead of `preexec_fn`, which is not safe in a process with threads. It imports the standard
library only, so it starts in 15 ms with `python -I -S`. Arguments: name=value pairs, `--`, the command.

    RLIMIT_…=soft               sizes are bytes, `RLIMIT_CPU` seconds; a limit is never raised
    read=, run=, write=PATH     Landlock: what may be done below the path; with none, no Landlock
    list=, connect=PATH         likewise: names only; Unix sockets
    sockets=unix|tcp            seccomp; with neither, no seccomp
    port=NUMBER                 the only TCP port, where Landlock knows ports
    listens=yes                 it may be listened at too
    asks=yes                    it may ask whether a process outside is alive, and send it no signal

Nothing is started where any of it fails: the process ends with `FAILED` and says why.
"""

import os
import resource
import sys
from types import ModuleType

FAILED = 113
"""The exit code of a launcher that could not do as it was told; no tool of ours ends with it."""

SAYS = "tfkit cannot start a tool: "

_PR_CAPBSET_DROP = 24
_CAPABILITIES = 64


def main(arguments: list[str]) -> None:
    """Do what the pairs say and execute the command; never returns."""
    cut = arguments.index("--")
    pairs = [(name, value) for name, _, value in (pair.partition("=") for pair in arguments[:cut])]
    command = arguments[cut + 1 :]
    try:
        for name, value in pairs:
            if name.startswith("RLIMIT_"):
                limit(name, int(value))
        confine(pairs)
        os.execve(command[0], command, dict(os.environ))  # noqa: S606 - no shell is wanted
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{SAYS}{error}\n")
        sys.stderr.flush()
        os._exit(FAILED)


def limit(name: str, wanted: int) -> None:
    """Lower one limit, soft and hard."""
    which = getattr(resource, name)
    hard = resource.getrlimit(which)[1]
    value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(which, (value, value))
    except (OSError, ValueError):
        # macOS does not take RLIMIT_AS; time, CPU and file size hold there all the same.
        if name != "RLIMIT_AS":
            raise


def confine(pairs: list[tuple[str, str]]) -> None:
    """Put Landlock and seccomp on this process, as far as the pairs name them."""
    given = dict(pairs)
    paths = [(name, value) for name, value in pairs if name in ("read", "run", "write", "list", "connect")]
    if not paths and "sockets" not in given:
        return
    landlock, seccomp = _sibling("landlock"), _sibling("seccomp")
    rights = {
        "read": landlock.READ,
        "run": landlock.RUN,
        "write": landlock.WRITE,
        "list": landlock.LIST,
        "connect": landlock.CONNECT,
    }
    _drop_capabilities()
    landlock.no_new_privileges()
    if paths:
        rules = [(value, rights[name]) for name, value in paths]
        port = int(given["port"]) if "port" in given else None
        landlock.restrict(rules, port, listens="listens" in given, signals="asks" in given)
    if "sockets" in given:
        seccomp.restrict(tcp=given["sockets"] == "tcp", asks="asks" in given)


def _drop_capabilities() -> None:
    """As root: what is executed next gets no capability (capabilities(7), "Bounding set")."""
    if os.geteuid() == 0:
        import ctypes

        libc = ctypes.CDLL(None)
        for capability in range(_CAPABILITIES):
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


def _sibling(name: str) -> ModuleType:
    """A module beside this file, which `python -I` does not look for."""
    import importlib.util

    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{name}.py")  # noqa: PTH100, PTH118, PTH120
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(sys.argv[1:])

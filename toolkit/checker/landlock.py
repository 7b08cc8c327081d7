"""Landlock: this process and all that it starts may touch only the files that are named (landlock(7)).

No root is needed for it and nothing undoes it. Like `seccomp`, this file is loaded by `launch` with
`python -I -S`: it imports the standard library only, and nothing of tfkit.

Landlock judges what a path opens. It does not judge `stat`: that a file exists can be seen by who may not
read it. Changes of owners and attributes it leaves to `seccomp`; before its version 9, code that runs inside
can connect to a Unix socket of another program by its path.
"""

import ctypes
import os
import sys
from collections.abc import Iterable

# One number on every architecture: https://docs.kernel.org/userspace-api/landlock.html
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RULE_PATH_BENEATH, _RULE_NET_PORT = 1, 2
_VERSION_FLAG = 1
_PR_SET_NO_NEW_PRIVS = 38

# Rights on files, by bit (linux/landlock.h).
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_MAKE_SOCK, _MAKE_SYM, _TRUNCATE = 1 << 9, 1 << 12, 1 << 14
_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
_CONNECT_UNIX = 1 << 16

# What each version of the interface can refuse in files: 1 knows 13 rights, 2 moving between folders,
# 3 truncate(2), 5 ioctl(2) on devices, 9 sockets of others by their path.
_FILES = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15, 9: 1 << 16}
# 4: binding and connecting TCP ports. 6: abstract Unix sockets and signals to processes outside.
_TCP_SINCE, _TCP = 4, 0b11
_SCOPES_SINCE, _ABSTRACT_SOCKETS, _SIGNALS = 6, 1 << 0, 1 << 1

READ = _READ_FILE | _READ_DIR
RUN = READ | _EXECUTE
WRITE = READ | _WRITE_FILE | _TRUNCATE | _REMOVE_DIR | _REMOVE_FILE
WRITE |= _MAKE_DIR | _MAKE_REG | _MAKE_SOCK | _MAKE_SYM
LIST = _READ_DIR
CONNECT = _CONNECT_UNIX
"""What may be done below a path. `WRITE` lets nothing be executed, `LIST` tells names and no content, and
`CONNECT` is for Unix sockets, which are open to everybody before version 9."""

_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
"""The rights that a path may be given that is no folder; the kernel refuses any other."""


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64)]


class _Path(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32)]


class _Port(ctypes.Structure):
    _fields_ = [("allowed", ctypes.c_uint64), ("port", ctypes.c_uint64)]


def version() -> int:
    """The version of the kernel's interface, from 1; 0 where there is none, or where it is forbidden here."""
    if not sys.platform.startswith("linux"):
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG))


def restrict(
    rules: Iterable[tuple[str, int]],
    tcp_port: int | None = None,
    *,
    listens: bool = False,
    signals: bool = False,
) -> None:
    """Allow what the rules (a path, and the rights below it) say and nothing else, for good.

    TCP goes to `tcp_port` only, on any host: Landlock knows no addresses; without one, and from version 4 on,
    nowhere. Who `listens` may do so at that port; who `signals` may send signals to whom it could before. A
    path that does not exist is passed over. Raises `OSError` where the kernel refuses.
    """
    abi = version()
    handled = sum(rights for since, rights in _FILES.items() if since <= abi)
    scopes = _ABSTRACT_SOCKETS if signals else _ABSTRACT_SOCKETS | _SIGNALS
    attributes = _Ruleset(handled, _TCP if abi >= _TCP_SINCE else 0, scopes if abi >= _SCOPES_SINCE else 0)
    ruleset = _call(_CREATE_RULESET, ctypes.byref(attributes), ctypes.c_size_t(ctypes.sizeof(attributes)), 0)
    try:
        for path, rights in rules:
            _allow_path(ruleset, path, rights & handled)
        if tcp_port is not None and abi >= _TCP_SINCE:
            port = _Port(_CONNECT_TCP | (_BIND_TCP if listens else 0), tcp_port)
            _call(_ADD_RULE, ruleset, _RULE_NET_PORT, ctypes.byref(port), 0)
        no_new_privileges()
        _call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def no_new_privileges() -> None:
    """No setuid program gives this process rights any more; the kernel asks for it before either sandbox."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")


def _allow_path(ruleset: int, path: str, rights: int) -> None:
    if not rights:  # this version judges none of them
        return
    try:
        # Symlinks are followed: what is allowed is the place that the path leads to.
        entry = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):  # noqa: PTH112 - pathlib would cost more than all else here
            rights &= _OF_A_FILE
        rule = _Path(rights, entry)
        _call(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(entry)


def _call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    answer: int = libc.syscall(number, *arguments)
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock, system call {number}: {os.strerror(code)}")
    return answer

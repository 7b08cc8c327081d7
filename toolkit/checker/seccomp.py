"""A seccomp filter (seccomp(2)): calls that no checking tool needs fail, for good and for children too.

A list of what is refused and not of what is allowed: what Go, Python and their libraries call changes with
every release, and what leads out of a process is known. Like `landlock`, it imports the standard library
only.
"""

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple

_LINUX = sys.platform.startswith("linux")


class _Machine(NamedTuple):
    """`audit` names the architecture to the filter (linux/audit.h); `column` is its place in `_REFUSED`."""

    audit: int
    column: int


_MACHINES = {"x86_64": _Machine(0xC000003E, 0), "aarch64": _Machine(0xC00000B7, 1)}

# Numbers on x86_64 and aarch64 (asm/unistd_64.h, asm-generic/unistd.h); None where there is no such call.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    # Into other processes: their memory, their files, their scheduling.
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "pidfd_getfd": (438, 438), "process_madvise": (440, 440),
    # Shared memory, queues and semaphores of this user's other programs.
    "shmget": (29, 194), "shmat": (30, 196), "msgget": (68, 186), "semget": (64, 190),
    "mq_open": (240, 180),
    # Out of the process group, which is killed as a whole when a check ends.
    "setsid": (112, 157), "setpgid": (109, 154),
    # A second way to most system calls, which no filter sees.
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    # A file without a path can be executed whatever Landlock says.
    "memfd_create": (319, 279),
    # Changes of files by path that Landlock does not judge (truncate: not before its version 3).
    "truncate": (76, 45), "chown": (92, None), "lchown": (94, None), "fchown": (93, 55),
    "fchownat": (260, 54), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "setxattrat": (463, 463), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264),
    # Large and often attacked parts of the kernel.
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "fanotify_init": (300, 262), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "personality": (135, 92),
    # Mounts and namespaces (clone's part of it is below).
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "unshare": (272, 97),
    "setns": (308, 268),
    # The machine: modules, kernels, swap, clocks, names, ports, logs.
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171),
    "clock_adjtime": (305, 266), "sethostname": (170, 161), "setdomainname": (171, 162),
    "iopl": (172, None), "ioperm": (173, None), "syslog": (103, 116), "vhangup": (153, 58),
}  # fmt: skip

_SOCKET, _CLONE, _CLONE3 = (41, 198), (56, 220), (435, 435)
_SENDTO, _SENDMSG, _SENDMMSG = (44, 206), (46, 211), (307, 269)
_NEW_NAMESPACES = 0x7E020000  # every CLONE_NEW* of clone(2)
_MSG_FASTOPEN = 0x20000000  # connects without connect(2), and so past Landlock
_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_SOCK_TYPE_MASK, _SOCK_STREAM, _IPPROTO_TCP = 0xF, 1, 6
# By process and by thread; signal 0 only asks whether there is one (kill(2)).
_KILL_CALLS, _TGKILL = ((62, 129), (424, 424)), (234, 131)
_OTHER_SIGNALS = ((200, 130), (129, 138), (297, 240))  # tkill and the two with a value
_X32 = 0x40000000  # x86_64 with other numbers: none of ours would fit

# The filter's own language (linux/filter.h, linux/bpf_common.h) and its answers (linux/seccomp.h).
_LOAD, _AND, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # places in struct seccomp_data

_PR_GET_SECCOMP, _PR_SET_SECCOMP, _MODE_FILTER = 21, 22, 2


class _Step(NamedTuple):
    """One instruction; `then` and `otherwise` are how many of the next are passed over."""

    code: int
    value: int
    then: int = 0
    otherwise: int = 0


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]


def available() -> bool:
    """Whether a filter of ours can be put on a process here."""
    if not _LINUX or platform.machine() not in _MACHINES:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    # Without a program the kernel says EFAULT if it has filters and EINVAL if not, and does nothing.
    return libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, None, 0, 0) != 0 and ctypes.get_errno() == errno.EFAULT


def restrict(*, tcp: bool, asks: bool = False) -> None:
    """Refuse those calls to this process from now on; the only sockets are Unix's and, if `tcp`, TCP's.

    Who `asks` sends no signals but to itself: it stands in for Landlock's scope, which knows no asking. The
    process must have given up new privileges. Raises `OSError` where the kernel does not take the filter.
    """
    steps = b"".join(
        struct.pack("=HBBI", step.code, step.then, step.otherwise, step.value)
        for step in program(platform.machine(), tcp=tcp, asks=os.getpid() if asks else 0)
    )
    filter_ = _Program(len(steps) // 8, steps)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(filter_), 0, 0):
        code = ctypes.get_errno()
        raise OSError(code, f"seccomp: {os.strerror(code)}")


def program(machine: str, *, tcp: bool, asks: int = 0) -> list[_Step]:
    """The filter for a machine as `platform.machine()` names it. Raises `KeyError` for one that has none.

    `asks` is the process whose threads alone may be sent signals; with 0 they are Landlock's part.
    """
    return list(_program(_MACHINES[machine], tcp, asks))


def _program(machine: _Machine, tcp: bool, asks: int) -> Iterator[_Step]:
    # A call by another architecture's numbers (32 bits, x32) would mean something else: end the process.
    yield _Step(_LOAD, _ARCHITECTURE)
    yield _Step(_EQUAL, machine.audit, then=1)
    yield _Step(_RETURN, _KILL)
    yield _Step(_LOAD, _NUMBER)
    if machine.column == 0:
        yield _Step(_AT_LEAST, _X32, otherwise=1)
        yield _Step(_RETURN, _KILL)
    for numbers in _REFUSED.values():
        if (number := numbers[machine.column]) is not None:
            yield _Step(_EQUAL, number, otherwise=1)
            yield _fail(errno.EPERM)
    # Its flags lie in memory, where a filter cannot look; C libraries fall back to clone then.
    yield _Step(_EQUAL, _CLONE3[machine.column], otherwise=1)
    yield _fail(errno.ENOSYS)
    yield from _without_flags(_CLONE[machine.column], 0, _NEW_NAMESPACES)
    if tcp:
        for call, flags_at in ((_SENDTO, 3), (_SENDMSG, 2), (_SENDMMSG, 3)):
            yield from _without_flags(call[machine.column], flags_at, _MSG_FASTOPEN)
    if asks:
        yield from _signals_of(machine.column, asks)
    sockets = _tcp_sockets() if tcp else [_fail(errno.EACCES)]
    # go-plugin's line from terraform to a provider is a Unix socket.
    yield _Step(_EQUAL, _SOCKET[machine.column], otherwise=2 + len(sockets))
    yield _argument(0)
    yield _Step(_EQUAL, _AF_UNIX, then=len(sockets))
    yield from sockets
    yield _Step(_RETURN, _ALLOW)


def _signals_of(column: int, process: int) -> Iterator[_Step]:
    """Signal 0 goes anywhere, Go's own to its own threads (`tgkill`), and no other one anywhere."""
    for call in _OTHER_SIGNALS:
        yield _Step(_EQUAL, call[column], otherwise=1)
        yield _fail(errno.EPERM)
    for call, position, wanted in (*((call, 1, 0) for call in _KILL_CALLS), (_TGKILL, 0, process)):
        yield _Step(_EQUAL, call[column], otherwise=4)
        yield _argument(position)
        yield _Step(_EQUAL, wanted, then=1)
        yield _fail(errno.EPERM)
        yield _Step(_LOAD, _NUMBER)


def _tcp_sockets() -> list[_Step]:
    """The domain is loaded: refuse all but IPv4 and IPv6, and of them all but TCP (no UDP, so no DNS).

    Multipath TCP, which is a stream too, is none that Landlock's rule for ports covers.
    """
    return [
        _Step(_EQUAL, _AF_INET, then=2),
        _Step(_EQUAL, _AF_INET6, then=1),
        _fail(errno.EACCES),
        _argument(1),
        _Step(_AND, _SOCK_TYPE_MASK),
        _Step(_EQUAL, _SOCK_STREAM, then=1),
        _fail(errno.EACCES),
        _argument(2),
        _Step(_EQUAL, 0, then=2),
        _Step(_EQUAL, _IPPROTO_TCP, then=1),
        _fail(errno.EACCES),
    ]


def _without_flags(number: int, position: int, flags: int) -> list[_Step]:
    """Refuse a call whose argument at `position` has any of these bits; the number is loaded again after."""
    return [
        _Step(_EQUAL, number, otherwise=4),
        _argument(position),
        _Step(_ANY_BIT, flags, otherwise=1),
        _fail(errno.EPERM),
        _Step(_LOAD, _NUMBER),
    ]


def _argument(position: int) -> _Step:
    # The lower half of 64 bits; both machines have it first.
    return _Step(_LOAD, _ARGUMENTS + 8 * position)


def _fail(code: int) -> _Step:
    return _Step(_RETURN, _ERRNO | code)

"""The sandbox with the worst in it: a program that may run whatever code it likes."""

import os
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from toolkit.checker import inprocess, landlock, launch, process, sandbox, seccomp
from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.process import Finished, Runner
from toolkit.checker.sandbox import LIMITS, Confinement, SandboxLevel, level, require
from toolkit.contracts import Tree
from toolkit.errors import PlatformError, ToolMissing

HELD = level()
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has Landlock and seccomp")
full = pytest.mark.skipif(HELD.landlock_abi < 6 or "seccomp" not in HELD.name, reason="needs Linux 6.12")

PYTHON = Confinement(read=(Path(sys.prefix), Path(sys.base_prefix)), run=(Path(sys.executable),))


class Place(NamedTuple):
    """A folder of the program's own, and one outside with a secret and the marks of its deeds."""

    own: Path
    outside: Path
    port: int


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    for name in ("own", "outside"):
        (tmp_path / name).mkdir()
    (tmp_path / "outside" / "secret").write_text("s3cr3t-marker")
    (tmp_path / "outside" / "folder").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Place(tmp_path / "own", tmp_path / "outside", server.getsockname()[1])


def run(place: Place, program: str, held: SandboxLevel, tcp_port: int | None = None) -> Finished:
    confinement = Confinement(read=PYTHON.read, run=PYTHON.run, write=(place.own,), tcp_port=tcp_port)
    begin = f"own, outside, port = {str(place.own)!r}, {str(place.outside)!r}, {place.port}\n{BEGIN}"
    command = [sys.executable, "-I", "-S", "-c", begin + program]
    return Runner(place.own, {}, held).run(command, 60, confinement=confinement)


# A system call by its number on x86_64 and aarch64, as Python raises errors.
BEGIN = """
import ctypes, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)

def call(x86, arm, *arguments):
    number = x86 if os.uname().machine == "x86_64" else arm
    answer = libc.syscall(number, *arguments)
    if answer < 0:
        raise OSError(ctypes.get_errno(), "call")
    return answer
"""

# What works without a sandbox, and does not in it.
DEEDS = {
    "read a file": 'print(open(outside + "/secret").read())',
    "list a folder": "print(os.listdir(outside))",
    "read its own environment": 'open("/proc/self/environ", "rb").read(1)',
    "read the parent's environment": 'open(f"/proc/{os.getppid()}/environ", "rb").read(1)',
    "read the accounts": 'open("/etc/passwd").read()',
    "write a file": 'open(outside + "/new", "w")',
    "write into a file": 'open(outside + "/secret", "r+")',
    "empty a file": 'os.truncate(outside + "/secret", 0)',
    "delete a file": 'os.unlink(outside + "/secret")',
    "delete a folder": 'os.rmdir(outside + "/folder")',
    "move a file out": 'open(own + "/x", "w").close(); os.rename(own + "/x", outside + "/x")',
    "link a file in": 'os.link(outside + "/secret", own + "/x")',
    "follow a symlink": 'os.symlink(outside + "/secret", own + "/x"); open(own + "/x").read()',
    "give a file away": 'os.chown(outside + "/secret", os.getuid(), os.getgid())',
    "execute a program": 'sys.exit(os.spawnv(os.P_WAIT, "/bin/true", ["true"]))',
    "execute what it wrote": (
        'open(own + "/x", "w").write("#!/bin/sh\\n"); os.chmod(own + "/x", 0o755); '
        'sys.exit(os.spawnv(os.P_WAIT, own + "/x", ["x"]))'
    ),
    "have a file without a path": 'os.memfd_create("x")',
    "connect by TCP": 'socket.create_connection(("127.0.0.1", port), 10)',
    "connect by TCP and IPv6": "socket.socket(socket.AF_INET6, socket.SOCK_STREAM)",
    "send by UDP": 'socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port))',
    "ask the kernel by netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)",
    "send raw packets": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)",
    "leave its session": "os.fork() or (os.setsid(), os._exit(0)); sys.exit(os.wait()[1] != 0)",
    "leave its group": "os.fork() or (os.setpgid(0, 0), os._exit(0)); sys.exit(os.wait()[1] != 0)",
    "signal another process": "os.kill(os.getppid(), 0)",
    "trace": "call(101, 117, 0, 0, 0, 0)",
    "share memory with others": "call(29, 194, 0, ctypes.c_size_t(4096), 0o600)",
    "have another root": "call(161, 51, b'/')",
    "have its own namespaces": "call(272, 97, 0x10000000)",
    "clone into a namespace": "pid = call(56, 220, 0x10000011, 0, 0, 0, 0); pid or os._exit(0)",
    "have a keyring": "call(250, 219, 0, -3, 1, 0, 0)",
    "use io_uring": "call(425, 425, 1, ctypes.create_string_buffer(512))",
}


@full
@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
def test_what_leads_out_works_without_and_fails_in_the_sandbox(deed: str, place: Place) -> None:
    before = {path.name: path.stat() for path in place.outside.iterdir()}
    confined = run(place, deed, HELD)
    assert confined.code != 0
    assert "s3cr3t" not in confined.stdout.decode() + confined.stderr
    assert {path.name: path.stat() for path in place.outside.iterdir()} == before
    for left in place.own.iterdir():
        left.unlink()
    done = run(place, deed, LIMITS)
    if done.code != 0:
        # A container may forbid it by itself; then it proves nothing of ours, but is no hole either.
        assert "PermissionError" in done.stderr or "Function not implemented" in done.stderr, done.stderr


ORDINARY = {
    "its own files": 'open("x", "w").write("y"); os.rename("x", "z"); print(open("z").read()); os.mkdir("d")',
    "nothing": 'open(os.devnull, "w").write("x")',
    "threads": "import threading; t = threading.Thread(target=int); t.start(); t.join()",
    "children and signals": "os.fork() or os.execv(sys.executable, ['p', '-c', '']); os.wait()",
    "a Unix socket": (
        'import threading; s = socket.socket(socket.AF_UNIX); s.bind("s"); s.listen(); '
        'c = socket.socket(socket.AF_UNIX); c.connect("s"); c.close(); s.accept()'
    ),
}


@linux
@pytest.mark.parametrize("deed", ORDINARY.values(), ids=ORDINARY)
def test_ordinary_work_goes_on_in_the_sandbox(deed: str, place: Place) -> None:
    done = run(place, deed, HELD)
    assert (done.code, done.stderr) == (0, "")


@full
def test_abstract_sockets_of_others_are_out_of_reach(place: Place) -> None:
    name = f"\0tfkit-{os.getpid()}"
    connect = f"socket.socket(socket.AF_UNIX).connect({name!r})"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        assert run(place, connect, LIMITS).code == 0
        assert "PermissionError" in run(place, connect, HELD).stderr


@pytest.mark.skipif(HELD.landlock_abi < 9, reason="needs Landlock ABI 9, Linux 7.1")
def test_sockets_of_others_are_out_of_reach_by_their_path(place: Place) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place.outside / "s"))
        server.listen()
        connect = 'socket.socket(socket.AF_UNIX).connect(outside + "/s")'
        assert run(place, connect, LIMITS).code == 0
        assert "PermissionError" in run(place, connect, HELD).stderr


@full
def test_one_port_is_one_port(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        others = other.getsockname()[1]
        for program, allowed in {
            'socket.create_connection(("127.0.0.1", port), 10)': True,
            f'socket.create_connection(("127.0.0.1", {others}), 10)': False,
            'socket.create_server(("127.0.0.1", 0))': False,
            "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)": False,
            "socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)": False,  # multipath TCP
            # MSG_FASTOPEN, twice
            f'socket.socket().sendto(b"x", 0x20000000, ("127.0.0.1", {others}))': False,
            f'socket.socket().sendmsg([b"x"], [], 0x20000000, ("127.0.0.1", {others}))': False,
        }.items():
            done = run(place, program, HELD, tcp_port=place.port)
            assert (done.code == 0) is allowed, (program, done.stderr)
            assert allowed or "PermissionError" in done.stderr
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.accept()


@linux
def test_as_root_there_are_no_capabilities_left(place: Place) -> None:
    # capget(2), version 3: effective, permitted, inheritable, twice.
    look = (
        "head, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()\n"
        "libc.capget(head, data); print(list(data))"
    )
    assert run(place, look, HELD).stdout.decode().strip() == str([0] * 6)


def test_what_cannot_be_confined_is_not_started(place: Place) -> None:
    class Broken(Confinement, frozen=True, kw_only=True):
        def arguments(self, executable: Path, held: SandboxLevel) -> list[str]:
            return ["sockets=unix", "port=none", "read=/"]

    started = place.own / "started"
    command = [sys.executable, "-c", f"open({str(started)!r}, 'w')"]
    with pytest.raises(PlatformError, match="cannot start a tool"):
        Runner(place.own, {}, SandboxLevel("seccomp")).run(command, 60, confinement=Broken())
    assert not started.exists()
    with pytest.raises(PlatformError, match="cannot start a tool"):
        Runner(place.own, {}, HELD).run([str(place.own / "no-such-tool")], 60)


def test_the_exit_code_of_the_launcher_is_no_tools_own(place: Place) -> None:
    command = [sys.executable, "-c", f"raise SystemExit({launch.FAILED})"]
    assert Runner(place.own, {}).run(command, 60).code == launch.FAILED


def test_a_level_says_what_it_is_and_what_it_allows() -> None:
    assert str(SandboxLevel("landlock+seccomp", 7)) == "landlock+seccomp (Landlock ABI 7)"
    assert str(LIMITS) == "limits"
    assert [SandboxLevel("landlock", 3).confines_ports, SandboxLevel("landlock", 4).confines_ports] == [
        False,
        True,
    ]
    assert not SandboxLevel("seccomp").confines_reads
    require(SandboxLevel("seccomp"))
    with pytest.raises(PlatformError, match="code that a model wrote is not checked") as error:
        require(LIMITS)
    assert "--unsandboxed" in error.value.hint


def test_the_level_is_what_the_kernel_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for abi, filters, name in [
        (7, True, "landlock+seccomp"),
        (7, False, "landlock"),
        (0, True, "seccomp"),
        (0, False, "limits"),
    ]:
        monkeypatch.setattr(landlock, "version", lambda abi=abi: abi)
        monkeypatch.setattr(seccomp, "available", lambda filters=filters: filters)
        assert level.__wrapped__() == SandboxLevel(name, abi)


def test_a_level_without_landlock_grants_no_paths_and_one_without_seccomp_no_sockets() -> None:
    true = Path("/bin/true").resolve()
    by_level = {name: Confinement().arguments(true, SandboxLevel(name, abi)) for name, abi in LEVELS.items()}
    kinds = {name: {pair.partition("=")[0] for pair in pairs} for name, pairs in by_level.items()}
    assert kinds["seccomp"] == {"sockets"}
    assert "sockets" not in kinds["landlock"]
    assert {"run", "write", "sockets"} <= kinds["landlock+seccomp"]
    assert kinds["limits"] == set()


LEVELS = {"landlock+seccomp": 7, "landlock": 7, "seccomp": 0, "limits": 0}


@full
@pytest.mark.parametrize(
    ("held", "deed"),
    [
        (SandboxLevel("landlock", HELD.landlock_abi), DEEDS["read a file"]),
        (SandboxLevel("seccomp"), DEEDS["connect by TCP"]),
    ],
    ids=["landlock", "seccomp"],
)
def test_each_half_holds_by_itself(held: SandboxLevel, deed: str, place: Place) -> None:
    assert run(place, ORDINARY["its own files"], held).code == 0
    assert "PermissionError" in run(place, deed, held).stderr


@linux
def test_libraries_are_for_executables_that_need_them(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    assert list(sandbox._libraries(script)) == []
    assert any(pair.startswith("run=/lib") for pair in sandbox._libraries(Path(sys.executable)))
    assert list(sandbox._libraries(_static(tmp_path))) == []


@linux
def test_processes_and_files_are_limited(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "load").write_text("0.00 0.01 0.05 1/100 4711\n")
    monkeypatch.setattr(process, "_LOAD", tmp_path / "load")
    monkeypatch.setattr(process, "PROCESSES", 23)
    show = [sys.executable, "-c", "import resource as r; print(r.getrlimit(r.RLIMIT_NPROC)[0])"]
    assert int(Runner(place.own, {}).run(show, 60).stdout) <= 123
    write = [sys.executable, "-c", "open('big', 'wb').write(b'x' * 2000)"]
    for file_size, written in ((3000, 2000), (1000, 1000)):
        Runner(place.own, {}).run(write, 60, file_size=file_size)
        assert (place.own / "big").stat().st_size == written


PROGRAM = Tree(files={"main.tf": b'output "x" {\n  value = 1\n}\n'})


def test_without_a_sandbox_a_models_work_is_checked_only_where_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inprocess, "level", lambda: LIMITS)
    with pytest.raises(PlatformError, match="not checked here") as error:
        InProcessChecker(tmp_path / "a").check(PROGRAM, ["validate"])
    assert "--unsandboxed" in error.value.hint
    with pytest.raises(PlatformError):
        InProcessChecker(tmp_path / "a").init(PROGRAM)
    changed = Tree(files={**PROGRAM.files, "more.tf": b""})
    with pytest.raises(PlatformError):
        InProcessChecker(tmp_path / "a", brought=PROGRAM).check(changed, ["validate"])
    for allowed in ({"unsandboxed": True}, {"brought": PROGRAM}):
        report = InProcessChecker(tmp_path / "b", **allowed).check(PROGRAM, ["validate"])
        assert (report.clean, report.sandbox) == (True, "limits")


@full
def test_a_report_names_the_sandbox_that_held(tmp_path: Path) -> None:
    refused = Tree(files={"main.tf": b"", "x_override.tf": b""})
    for tree in (PROGRAM, refused):
        assert InProcessChecker(tmp_path).check(tree, ["validate"]).sandbox == str(HELD)
        assert InProcessChecker(tmp_path, unsandboxed=True).check(tree, ["validate"]).sandbox == "limits"


@linux
def test_without_a_mirror_the_error_says_that_checks_have_no_network(tmp_path: Path) -> None:
    needs = Tree(files={"main.tf": b'resource "aws_s3_bucket" "x" {}\n'})
    with pytest.raises(ToolMissing, match="hashicorp/aws cannot be had") as error:
        InProcessChecker(tmp_path, mirrors=[]).init(needs)
    assert "Checks have no network" in error.value.hint


def _static(folder: Path) -> Path:
    """The head of an ELF executable with one segment that is loaded and none that names a loader."""
    head = bytearray(64)
    head[:5] = b"\x7fELF\x02"
    head[32:40], head[54:56], head[56:58] = struct.pack("<Q", 64), struct.pack("<H", 56), struct.pack("<H", 1)
    (folder / "static").write_bytes(bytes(head) + struct.pack("<I", 1) + bytes(52))
    return folder / "static"


def answer(machine: str, number: int, *arguments: int, tcp: bool = False, audit: int | None = None) -> int:
    """What the filter says to a system call: the kernel's interpreter in the few instructions that we use."""
    steps = seccomp.program(machine, tcp=tcp)
    own = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[machine]
    data = struct.pack("<IIQ6Q", number, audit or own, 0, *arguments, *[0] * (6 - len(arguments)))
    at, loaded = 0, 0
    while True:
        step = steps[at]
        at += 1
        if step.code == 0x06:
            return step.value
        if step.code == 0x20:
            loaded = struct.unpack_from("<I", data, step.value)[0]
        elif step.code == 0x54:
            loaded &= step.value
        else:
            test: Callable[[int, int], bool] = {
                0x15: lambda a, b: a == b,
                0x35: lambda a, b: a >= b,
                0x45: lambda a, b: bool(a & b),
            }[step.code]
            at += step.then if test(loaded, step.value) else step.otherwise


ALLOW, KILL, EPERM, EACCES, ENOSYS = 0x7FFF0000, 0x80000000, 0x50001, 0x5000D, 0x50026
COLUMNS = {"x86_64": 0, "aarch64": 1}


@pytest.mark.parametrize("machine", COLUMNS)
def test_the_filter_on_each_machine(machine: str) -> None:
    column = COLUMNS[machine]
    for name, numbers in seccomp._REFUSED.items():
        if (number := numbers[column]) is not None:
            assert answer(machine, number) == EPERM, name
    for number in range(500):
        said = answer(machine, number)
        refused = {numbers[column] for numbers in seccomp._REFUSED.values()}
        special = {seccomp._CLONE3[column], seccomp._SOCKET[column]}
        assert (said == ALLOW) is (number not in refused | special), number
        assert answer(machine, number, audit=0x40000003) == KILL
    assert answer(machine, seccomp._CLONE3[column]) == ENOSYS
    clone = seccomp._CLONE[column]
    assert answer(machine, clone, 0x3D0F00) == ALLOW  # a thread of a C library
    assert answer(machine, clone, 0x10000011) == EPERM
    socket_ = seccomp._SOCKET[column]
    assert answer(machine, socket_, 1, 0x80001) == ALLOW
    for domain in (2, 10, 16, 17, 40):
        assert answer(machine, socket_, domain, 1) == EACCES
    for domain in (2, 10):
        assert answer(machine, socket_, domain, 0x80801, 0, tcp=True) == ALLOW
        assert answer(machine, socket_, domain, 1, 6, tcp=True) == ALLOW
        assert answer(machine, socket_, domain, 1, 262, tcp=True) == EACCES
        assert answer(machine, socket_, domain, 2, 17, tcp=True) == EACCES
    assert answer(machine, socket_, 16, 1, tcp=True) == EACCES
    assert answer(machine, seccomp._SENDTO[column], 3, 0, 0, 0x20000000, tcp=True) == EPERM
    assert answer(machine, seccomp._SENDTO[column], 3, 0, 0, 0x4000, tcp=True) == ALLOW


def test_numbers_of_x32_end_the_process() -> None:
    assert answer("x86_64", 0x40000000 + 41) == KILL


def test_the_sandbox_does_not_outlive_the_child(place: Place) -> None:
    threads = threading.active_count()
    run(place, "", HELD)
    assert (place.outside / "secret").read_text() == "s3cr3t-marker"
    assert threading.active_count() == threads

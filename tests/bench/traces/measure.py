"""The read side of traces against the usual design, as ratios in one run, whole processes, imports and all.

    make bench-traces                                   # 10 thousand and 100 thousand spans
    python tests/bench/traces/measure.py 1000000        # any size; a million takes some minutes and 3 GB

The baseline is `usual.py`: a DuckDB view that unnests every object, from scratch in a new process. Both sides
read local files. Then the emulator's S3 against boto3, and the start of `tfkit` against a Click hello-world.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from generate import Maker, generate
from isal import igzip

from toolkit.emulator import Emulator

HERE = Path(__file__).parent
HELLO = "import click\n@click.command()\ndef hello(): click.echo('hello')\nhello()"

OBJECTS, OBJECT_BYTES = 500, 200_000


def ran(*command: str | Path, **environment: str) -> tuple[float, str, int]:
    """Run a process; returns seconds, what it printed, and its peak memory in MB."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=out,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(HERE.parents[2]), **environment},
        )
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - started
        if status:
            raise SystemExit(f"failed: {command}")
        out.seek(0)
        return took, out.read().decode(), usage.ru_maxrss // 1024


def best(work: Callable[[], tuple[float, str, int]], times: int) -> tuple[float, str, int]:
    """The fastest of several: the machine is shared, and noise only ever adds."""
    return min(work() for _ in range(times))


def row(name: str, took: float, base: float, goal: float | None, note: str = "") -> None:
    """Print a line; the goal is the part of the baseline that it may take, None where none was set."""
    verdict = "" if goal is None else "ok" if took <= base * goal else "MISSED"
    shown = "" if goal is None else f"{goal:.3f}"
    print(f"{name:34}{took:8.3f}{base:9.3f}{took / base:9.3f}{shown:>9}  {verdict:6}  {note}", flush=True)


def size(home: Path, spans: int, times: int) -> None:
    """All questions at one size."""
    folder, index = home / str(spans), home / f"{spans}.sqlite"
    folder.mkdir()
    total = generate(folder, spans)
    objects = sorted(folder.rglob("*.gz"))
    megabytes = sum(path.stat().st_size for path in objects) / 1e6
    print(f"\n{total:,} spans, {len(objects):,} objects, {megabytes:.0f} MB gzip")
    print(f"{'':34}{'seconds':>8}{'baseline':>9}{'ratio':>9}{'goal':>9}")

    def read(*question: str, fresh: bool = False) -> tuple[float, str, int]:
        if fresh:
            for left in home.glob(f"{index.name}*"):
                left.unlink()
        return ran(sys.executable, HERE / "reading.py", folder, index, *question)

    listing = best(lambda: ran(sys.executable, HERE / "usual.py", folder, "list"), times)[0]
    large = spans >= 1_000_000
    day = best(lambda: read("list", "1", fresh=True), times)
    row("1 day, from nothing", day[0], listing, 1 / 6, f"{day[2]} MB")
    first = best(lambda: read("list", "30", fresh=True), times)
    indexing = 1.2 if spans <= 100_000 else None
    row("30 days, from nothing (indexing)", first[0], listing, indexing, f"{first[2]} MB, goal 150 MB")
    warm = best(lambda: read("list", "30"), 2 * times + 1)
    row("30 days, warm", warm[0], listing, 1 / 20 if large else 1 / 15 if spans >= 100_000 else None)
    row("one new object", one_new(objects[-1], read), listing, 1 / 8)
    run_id = warm[1].split('"run_id":"', 1)[1].split('"', 1)[0]
    usual = best(lambda: ran(sys.executable, HERE / "usual.py", folder, "run", run_id), times)[0]
    one = best(lambda: read("run", run_id), 2 * times + 1)
    row("one run", one[0], usual, 1 / 50 if large else None)
    shutil.rmtree(folder)
    for left in home.glob(f"{index.name}*"):
        left.unlink()


def one_new(newest: Path, read: Callable[..., tuple[float, str, int]]) -> float:
    """The list when one object of new runs has come that the index does not know: the best of three."""
    times = []
    for number in range(3):
        maker, began_ns = Maker(10**6 + number), time.time_ns() - 60 * 10**9
        body = b"".join(maker.run(began_ns + run * 10**6)[0] for run in range(6))
        newest.with_name(f"new-{number}.gz").write_bytes(igzip.compress(body, 3))
        times.append(read("list", "30")[0])
    return min(times)


def fetching(home: Path) -> None:
    """500 objects of 200 KB from the emulator's S3, by obstore as tfkit does and by boto3 with 32 threads."""
    from toolkit.cloud import LOCAL_ACCOUNT, Cloud
    from toolkit.traces.fetch import Bucket

    emulator = Emulator(home / "emulator")
    emulator.start()
    try:
        cloud = Cloud(
            "local",
            "us-east-1",
            LOCAL_ACCOUNT,
            endpoint=emulator.endpoint,
            key=emulator.key,
            secret=emulator.secret,
        )
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="bench")
        with ThreadPoolExecutor(8) as pool:
            body = os.urandom(OBJECT_BYTES)
            list(pool.map(lambda n: s3.put_object(Bucket="bench", Key=f"d/{n}", Body=body), range(OBJECTS)))

        def ours() -> tuple[float, float]:
            started, used = time.perf_counter(), time.process_time()
            bucket = Bucket(cloud, "bench")
            got = sum(len(batch) for batch in bucket.get_batches(bucket.list("d/")))
            assert got == OBJECTS
            return time.perf_counter() - started, time.process_time() - used

        def theirs() -> tuple[float, float]:
            import boto3
            from botocore.config import Config

            started, used = time.perf_counter(), time.process_time()
            session = boto3.Session(cloud.key, cloud.secret, region_name="us-east-1")
            config = Config(max_pool_connections=32, s3={"addressing_style": "path"})
            client = session.client("s3", endpoint_url=cloud.endpoint, config=config)
            pages = client.get_paginator("list_objects_v2").paginate(Bucket="bench", Prefix="d/")
            names = [item["Key"] for page in pages for item in page["Contents"]]
            with ThreadPoolExecutor(32) as pool:
                list(pool.map(lambda key: client.get_object(Bucket="bench", Key=key)["Body"].read(), names))
            return time.perf_counter() - started, time.process_time() - used

        ours(), theirs()
        base, base_cpu = map(min, zip(*(theirs() for _ in range(3)), strict=True))
        took, cpu = map(min, zip(*(ours() for _ in range(3)), strict=True))
        # The emulator itself takes half a second of one core for them, whoever asks.
        note = f"boto3, 32 threads; CPU of the client {cpu:.2f} against {base_cpu:.2f}"
        row("500 objects of 200 KB, S3", took, base, 1 / 2, note)
    finally:
        emulator.stop()


def starting(home: Path) -> None:
    """`tfkit traces` with a warm index and `tfkit --help`, against a Click hello-world."""
    tfkit = Path(sys.executable).with_name("tfkit")
    own = {"TFKIT_HOME": str(home / "home")}
    try:
        ran(tfkit, "up", **own)
        ran(tfkit, "traces", **own)
        hello = best(lambda: ran(sys.executable, "-c", HELLO), 15)[0]
        row("tfkit --help", best(lambda: ran(tfkit, "--help", **own), 15)[0], hello, 1.4, "click hello-world")
        row(
            "tfkit traces, warm",
            best(lambda: ran(tfkit, "traces", **own), 15)[0],
            hello,
            3.5,
            "click hello-world",
        )
    finally:
        ran(tfkit, "down", "--yes", **own)


def main(sizes: list[int]) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="tfkit-bench-") as folder:
        home = Path(folder)
        # As installed: with byte code, which a checkout may be kept from writing.
        os.environ |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(home / "bytecode")}
        for spans in sizes:
            size(home, spans, 3 if spans <= 200_000 else 2)
        print(f"\n{'':34}{'seconds':>8}{'baseline':>9}{'ratio':>9}{'goal':>9}")
        fetching(home)
        starting(home)


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [10_000, 100_000])

"""How long a working day takes on the local target, as ratios to what it cannot do without.

    make bench

Every figure is the wall time of a whole process. The baselines are measured in the same run, on the
same machine: a Click hello-world for `--help`; for `up` the start of the emulator and the API calls of an
`up` from nothing by boto3 alone (`floor.py`); for `ask` terraform's own init and validate by hand.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from toolkit.checker.mirrors import cli_configuration, find_providers
from toolkit.deploy.pulumi_cli import find_cli
from toolkit.emulator import Emulator

HELLO = "import click\n@click.command()\ndef hello(): click.echo('hello')\nhello()"


def seconds(work: Callable[[], object]) -> float:
    """How long it takes once."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def best(work: Callable[[], object], times: int = 5) -> float:
    """The fastest of several: the machine is shared, and noise only ever adds."""
    return min(seconds(work) for _ in range(times))


def tfkit(home: Path, *arguments: str) -> None:
    """The command, in a home of its own."""
    subprocess.run(
        [sys.executable, "-m", "toolkit", *arguments],
        env={**os.environ, "TFKIT_HOME": str(home)},
        cwd=home,
        check=True,
        capture_output=True,
    )


def emulator_alone(folder: Path) -> None:
    """Start an emulator; `up` cannot be faster than that."""
    emulator = Emulator(folder)
    emulator.start()
    emulator.stop()


def calls_alone(home: Path) -> float:
    """The API calls of an `up` from nothing, with boto3 alone: what no engine can undercut."""
    from floor import dump, record

    from stacks.program import platform as program
    from toolkit.cloud import LOCAL_ACCOUNT, Cloud
    from toolkit.deploy.embedded import EmbeddedEngine
    from toolkit.deploy.plan import PROJECT, platform_config
    from toolkit.deploy.platform import quiet
    from toolkit.local.provider import EmulatorProvider
    from toolkit.settings import load

    recorded = home / "calls.json"
    one, two = Emulator(home / "recorded"), Emulator(home / "replayed")
    try:
        one.start()
        cloud = Cloud(target="local", region="us-east-1", account=LOCAL_ACCOUNT, endpoint=one.endpoint)
        provider = EmulatorProvider(one.endpoint, cloud.region, one.key, one.secret)
        engine = EmbeddedEngine(home / "engine", PROJECT, "dev", provider, {"region": cloud.region})
        settings = msgspec.structs.replace(load({}, {}, home), prefix="tfkit-dev", region=cloud.region)
        config = platform_config(settings, cloud)
        dump(record(lambda: engine.up(program(config), quiet)), recorded)
        two.start()
        replay = [sys.executable, str(Path(__file__).with_name("floor.py")), str(recorded), two.endpoint]
        keys = {"AWS_ACCESS_KEY_ID": two.key, "AWS_SECRET_ACCESS_KEY": two.secret}
        return seconds(
            lambda: subprocess.run(replay, env={**os.environ, **keys}, check=True, capture_output=True)
        )
    finally:
        one.stop()
        two.stop()


def terraform_alone(files: Path, home: Path) -> None:
    """init and validate of the same files by hand, with the same mirror."""
    platform = json.loads(subprocess.check_output(["terraform", "version", "-json"]))["platform"]
    configuration = home / "terraformrc"
    configuration.write_text(cli_configuration(find_providers(platform)))
    shutil.rmtree(files / ".terraform", ignore_errors=True)
    (files / ".terraform.lock.hcl").unlink(missing_ok=True)
    for command in (["init", "-input=false"], ["validate"]):
        subprocess.run(
            ["terraform", *command],
            cwd=files,
            env={**os.environ, "TF_CLI_CONFIG_FILE": str(configuration)},
            check=True,
            capture_output=True,
        )


def real_engine(home: Path, what: str, floor: float) -> list[tuple[str, float, str, float]]:
    """The same by Pulumi's own command line; nothing where there is none."""
    if find_cli() is None:
        print("no pulumi on this machine: its engine is not measured", file=sys.stderr)
        return []
    home.mkdir()
    steps = (
        ("preview from nothing", "preview"),
        ("up from nothing", "up"),
        ("up again", "up"),
        ("down", "down"),
    )
    return [
        (f"{name}, pulumi", seconds(lambda verb=verb: tfkit(home, "--engine", "pulumi", verb)), what, floor)
        for name, verb in [*steps, ("down", "down")]
    ]


def main() -> None:
    """Measure and print a table."""
    rows: list[tuple[str, float, str, float]] = []
    with tempfile.TemporaryDirectory(prefix="tfkit-bench-") as folder:
        home = Path(folder)
        hello = best(lambda: subprocess.run([sys.executable, "-c", HELLO], check=True, capture_output=True))
        rows.append(("--help", best(lambda: tfkit(home, "--help")), "click hello-world", hello))
        start = min(seconds(lambda i=i: emulator_alone(home / f"emulator-{i}")) for i in range(3))
        floor = start + calls_alone(home)
        what = "emulator, calls alone"
        rows.append(("preview from nothing", best(lambda: tfkit(home, "preview"), 3), what, floor))
        rows.append(("up from nothing", seconds(lambda: tfkit(home, "up")), what, floor))
        rows.append(("up again", best(lambda: tfkit(home, "up"), 3), what, floor))
        prompt = "an encrypted S3 bucket with a 30-day lifecycle"
        cold = seconds(lambda: tfkit(home, "ask", prompt, "-o", "cold"))
        warm = min(seconds(lambda i=i: tfkit(home, "ask", prompt, "-o", f"warm-{i}")) for i in range(3))
        alone = best(lambda: terraform_alone(home / "cold", home), 3)
        rows.append(("ask, first", cold, "terraform alone", alone))
        rows.append(("ask, warm", warm, "terraform alone", alone))
        rows.append(("traces", best(lambda: tfkit(home, "traces"), 3), "click hello-world", hello))
        rows.append(("down", seconds(lambda: tfkit(home, "down")), what, floor))
        rows += real_engine(home / "pulumi", what, floor)
    print(f"{'':22}{'seconds':>9}  {'baseline':22}{'seconds':>9}{'ratio':>8}")
    for name, took, baseline, base in rows:
        print(f"{name:22}{took:9.2f}  {baseline:22}{base:9.2f}{took / base:8.1f}")


if __name__ == "__main__":
    main()

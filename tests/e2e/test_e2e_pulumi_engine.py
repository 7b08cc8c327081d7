"""The local target by Pulumi's own engine: the same commands where there is a CLI, and a word where not."""

import shutil
from pathlib import Path

import pytest
from driver import Tfkit

needs_pulumi = pytest.mark.skipif(
    shutil.which("pulumi") is None, reason="no `pulumi` on PATH; this test runs where the CLI is installed"
)


@needs_pulumi
def test_the_main_job_by_the_real_engine(tfkit: Tfkit) -> None:
    made = tfkit.json("--engine", "pulumi", "up")["changes"]
    assert made["create"] > 30
    again = tfkit.json("up")["changes"]  # the engine is remembered
    assert again["same"] == sum(again.values()) == made["create"]
    result = tfkit.json("ask", "an sqs queue named orders", "-o", "queue")
    assert result["status"] == "ok"
    assert result["run_id"] in {row["run_id"] for row in tfkit.json("traces")}
    receipt = tfkit.json("down")["receipt"]
    assert receipt["kept"] == [] and len(receipt["deleted"]) > 30
    assert not tfkit.folder.joinpath("pulumi").exists()


def test_without_a_cli_nothing_is_started_and_nothing_is_remembered(tmp_path: Path) -> None:
    terraform = shutil.which("terraform")
    assert terraform
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "terraform").symlink_to(terraform)
    bare = Tfkit(tmp_path, PATH=str(tmp_path / "bin"), HOME=str(tmp_path))
    done = bare("--engine", "pulumi", "up")
    assert done.returncode == 1
    assert "needs Pulumi's command line" in done.stderr and "hint:" in done.stderr
    assert not bare.folder.exists()


def test_a_stack_keeps_to_its_engine(tfkit: Tfkit) -> None:
    tfkit.json("up")
    done = tfkit("--engine", "pulumi", "up")
    assert done.returncode == 2 and "embedded engine" in done.stderr
    tfkit.json("down")

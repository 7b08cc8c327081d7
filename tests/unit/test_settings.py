"""Settings: where they come from, which source wins, and what is refused with the place named."""

from pathlib import Path

import pytest

from toolkit.errors import UsageError
from toolkit.settings import ENVIRONMENT, NOT_SETTINGS, Settings, load


def write(folder: Path, text: str) -> Path:
    (folder / "tfkit.toml").write_text(text)
    return folder


def refused(flags=None, environment=None, cwd: Path | None = None) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load(flags or {}, environment or {}, cwd)
    assert caught.value.exit_code == 2
    return caught.value


def test_defaults(tmp_path):
    assert load({}, {}, tmp_path) == Settings()


def test_flags_then_environment_then_file_then_defaults(tmp_path):
    write(tmp_path, 'stack = "file"\nregion = "eu-west-1"\nprofile = "file"\n')
    environment = {"TFKIT_STACK": "env", "TFKIT_REGION": "us-east-2"}
    settings = load({"stack": "flag", "region": None}, environment, tmp_path)
    found = (settings.stack, settings.region, settings.profile, settings.email)
    assert found == ("flag", "us-east-2", "file", "")


def test_an_empty_variable_was_not_set(tmp_path):
    write(tmp_path, 'stack = "file"')
    assert load({}, {"TFKIT_STACK": ""}, tmp_path).stack == "file"


def test_the_process_environment_and_folder_are_what_is_read(monkeypatch, tmp_path):
    write(tmp_path, 'email = "a@b.example"')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFKIT_STACK", "mine")
    settings = load({})
    assert (settings.stack, settings.email) == ("mine", "a@b.example")


def test_values_of_the_environment_become_what_they_mean(tmp_path):
    environment = {
        "TFKIT_LOCK_DAYS": "3",
        "TFKIT_TAGS": "team=a, cost=b=c",
    }
    settings = load({}, environment, tmp_path)
    assert settings.lock_days == 3
    assert settings.tags == {"team": "a", "cost": "b=c"}


def test_values_of_the_file_become_what_they_mean(tmp_path):
    settings = load({}, {}, write(tmp_path, 'lock_days = 3\n[tags]\nteam = "a"\n'))
    assert (settings.lock_days, settings.tags) == (3, {"team": "a"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DAILY_TOKEN_LIMIT", "-5"),
        ("LOCK_DAYS", "0"),
        ("LLM_TIMEOUT_S", "nan"),
        ("LLM", "notaurl"),
        ("LLM", "ftp://host"),
        ("REGION", "mars-1"),
        ("TAGS", "a"),
        ("TAGS", "aws:x=1"),
        ("TAGS", "tfkit:stack=other"),
        ("RESERVED_CONCURRENCY", "-2"),
        ("ROLE_PATH", "no-slash"),
    ],
)
def test_nonsense_is_refused_before_anything_happens(tmp_path, name, value):
    with pytest.raises(UsageError):
        load({}, {f"TFKIT_{name}": value}, tmp_path)


def test_an_unknown_key_of_the_file(tmp_path):
    error = refused(cwd=write(tmp_path, 'stak = "x"'))
    assert "stak" in error.message
    assert str(tmp_path / "tfkit.toml") in error.message
    assert "stack" in error.hint


def test_an_unknown_variable(tmp_path):
    error = refused(environment={"TFKIT_STAK": "x"}, cwd=tmp_path)
    assert "TFKIT_STAK" in error.message
    assert "environment" in error.message


@pytest.mark.parametrize("name", sorted(NOT_SETTINGS))
def test_variables_that_are_no_settings(tmp_path, name):
    assert name.startswith(ENVIRONMENT)
    assert load({}, {name: "x"}, tmp_path) == Settings()


@pytest.mark.parametrize(
    ("environment", "part"),
    [
        ({"TFKIT_TARGET": "moon"}, "target"),
        ({"TFKIT_ENGINE": "steam"}, "engine"),
        ({"TFKIT_LOCK_DAYS": "many"}, "lock_days"),
        ({"TFKIT_LOCK_MODE": "SOMETIMES"}, "lock_mode"),
    ],
)
def test_a_bad_value_is_named(tmp_path, environment, part):
    assert f"$.{part}" in refused(environment=environment, cwd=tmp_path).message


def test_a_file_that_is_no_toml(tmp_path):
    assert str(tmp_path / "tfkit.toml") in refused(cwd=write(tmp_path, "stack = ")).message
    (tmp_path / "tfkit.toml").write_bytes(b'stack = "\xff"')
    assert "not valid TOML" in refused(cwd=tmp_path).message


@pytest.mark.parametrize("region", ["eu-central-1", ""])
def test_the_pinned_region_is_taken(tmp_path, region):
    write(tmp_path, 'pin_region = "eu-central-1"')
    assert load({"region": region}, {}, tmp_path).region == region


def test_another_region_than_the_pinned_one(tmp_path):
    write(tmp_path, 'pin_region = "eu-central-1"')
    error = refused({"region": "us-east-1"}, cwd=tmp_path)
    assert "us-east-1" in error.message
    assert "eu-central-1" in error.message
    assert "--region eu-central-1" in error.hint


@pytest.mark.parametrize("name", ["a", "dev", "team-a-1", "a" * 20])
def test_names_of_stacks(tmp_path, name):
    assert load({"stack": name}, {}, tmp_path).stack == name


@pytest.mark.parametrize("name", ["", "1a", "-a", "Dev", "a_b", "a/b", "..", "a" * 21, "dev\n"])
def test_names_that_no_stack_can_have(tmp_path, name):
    assert "lower-case" in refused({"stack": name}, cwd=tmp_path).hint


def test_folders(tmp_path, monkeypatch):
    settings = Settings(home=str(tmp_path), stack="a")
    assert settings.stack_folder == tmp_path / "local" / "a"
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert Settings(home="~/x").folder == tmp_path / "me" / "x"
    monkeypatch.chdir(tmp_path)
    assert Settings(home="x").folder == tmp_path / "x"
    assert Settings().folder.is_absolute()

"""Settings: where they come from, which source wins, and what is refused with the place named."""

import re
from pathlib import Path

import botocore.session
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


def test_validators_have_sections_of_their_own(tmp_path):
    text = "[validators.checkov]\nthreshold = 'high'\ndeadline_s = 120\noptions = { skip = ['a'] }\n"
    checkov = load({}, {}, write(tmp_path, text)).validators["checkov"]
    assert (checkov.enabled, checkov.required, checkov.deadline_s) == (True, True, 120)
    assert (checkov.threshold, checkov.options) == ("high", {"skip": ["a"]})
    for wrong in ("threshold = 'awful'", "deadline_s = 0", "treshold = 'low'", "required = 2"):
        error = refused(cwd=write(tmp_path, f"[validators.checkov]\n{wrong}\n"))
        assert "validators" in error.message


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
    ("variable", "value", "allowed"),
    [
        ("TARGET", "moon", "local, aws"),
        ("ENGINE", "steam", "embedded, pulumi"),
        ("LOCK_MODE", "SOMETIMES", "GOVERNANCE, COMPLIANCE"),
        ("LOCK_DAYS", "many", "from 1 to 36,500"),
        ("LOCK_DAYS", "99999999999", "from 1 to 36,500"),
        ("LOG_RETENTION_DAYS", "31", "14, 30, 60"),
        ("ALARM_FRESHNESS_S", "7", "from 120 to 86,400"),
        ("ALARM_FRESHNESS_S", "86401", "from 120 to 86,400"),
        ("DAILY_TOKEN_LIMIT", "1e400", "a whole number"),
        ("KMS_KEY_ARN", "foo", "arn:aws:kms:"),
        ("KMS_KEY_ARN", "arn:aws:kms:eu-central-1:123456789012:alias/x", "not of an alias"),
        ("PERMISSIONS_BOUNDARY", "foo", "arn:aws:iam::123456789012:policy/"),
        ("LOG_BUCKET", "No_Bucket", "3 to 63 lower-case"),
        ("LOG_BUCKET", "a..b", "3 to 63 lower-case"),
        ("LOG_BUCKET", "192.168.0.1", "3 to 63 lower-case"),
        ("EMAIL", "notanemail", "ops@example.com"),
        ("EMAIL", "a@b", "ops@example.com"),
        ("PREFIX", "aws-x", "not beginning with aws"),
        ("PREFIX", "ssm", "not beginning with aws, ssm"),
        ("PREFIX", "tfkit-", "no hyphen last"),
        ("STACK", "dev-", "no hyphen last"),
        ("REGION", "eu-west-1\n", "eu-central-1"),
        ("PIN_ACCOUNT", "12", "12 digits"),
        ("RESERVED_CONCURRENCY", "-2", "tfkit stop"),
        ("IMAGE_ALLOW_TAGS", "perhaps", "true or false"),
    ],
)
def test_a_bad_value_is_refused_in_words(tmp_path, variable, value, allowed):
    error = refused(environment={f"TFKIT_{variable}": value}, cwd=tmp_path)
    assert error.message == f"TFKIT_{variable} in the environment cannot be {value!r}"
    assert allowed in error.hint
    assert "regex" not in error.hint


@pytest.mark.parametrize(
    ("variable", "value", "shown"),
    [
        ("TAGS", "team=a,cost=<>&", "cost = '<>&'"),
        ("TAGS", "team=a,cöst=1", "cöst = '1'"),
        ("TAGS", f"team=a,{'k' * 128}=1", "kkk"),
        ("TAGS", f"team={'v' * 256}", "team = 'vvv"),
        ("TAGS", ",".join(f"k{number}=" for number in range(48)), "characters)"),
        ("CHECKER_SUBNET_IDS", "subnet-1,vpc-1", "'vpc-1'"),
        ("CHECKER_SECURITY_GROUP_IDS", "sg-1,sg-2,sg-3,sg-4,sg-5,sg-6", "['sg-1', "),
    ],
)
def test_of_several_things_the_bad_one_is_named(tmp_path, variable, value, shown):
    error = refused(environment={f"TFKIT_{variable}": value}, cwd=tmp_path)
    assert f"TFKIT_{variable} in the environment cannot be " in error.message
    assert shown in error.message
    assert "team = 'a'" not in error.message


def test_tags_that_are_one_for_iam(tmp_path):
    error = refused(environment={"TFKIT_TAGS": "Team=1,team=2"}, cwd=tmp_path)
    assert error.message == "TFKIT_TAGS in the environment cannot have both 'Team' and 'team'"


def test_where_a_bad_value_comes_from(tmp_path):
    write(tmp_path, 'region = "mars-1"')
    name = f"region in {tmp_path / 'tfkit.toml'}"
    assert refused(cwd=tmp_path).message == f"{name} cannot be 'mars-1'"
    in_both = refused(environment={"TFKIT_REGION": "venus-1"}, cwd=tmp_path)
    assert in_both.message == "TFKIT_REGION in the environment cannot be 'venus-1'"
    on_top = refused({"region": "pluto-1"}, {"TFKIT_REGION": "venus-1"}, tmp_path)
    assert on_top.message == "--region on the command line cannot be 'pluto-1'"
    assert refused({"llm_model": 1}, cwd=tmp_path / "x").message.startswith("--llm-model on the command line")


def test_a_wrong_section_of_a_validator_is_named(tmp_path):
    error = refused(cwd=write(tmp_path, "[validators.tflint]\ndeadline_s = 99999"))
    assert f"validators in {tmp_path / 'tfkit.toml'} cannot be tflint = " in error.message
    assert "`validators.NAME.deadline_s`" in error.hint
    assert "<= 900" in error.hint


def test_a_value_that_may_hold_a_password_is_not_shown(tmp_path):
    error = refused({"llm": "ftp://me:hunter2@host/v1"}, cwd=tmp_path)
    assert error.message.startswith("--llm on the command line cannot be")
    assert "hunter2" not in error.message + error.hint
    assert "https://" in error.hint


def test_a_long_value_is_cut(tmp_path):
    error = refused(environment={"TFKIT_EMAIL": "x" * 100_000}, cwd=tmp_path)
    assert len(error.message) < 200
    assert "100,002 characters" in error.message


def test_reserving_nothing_at_all_is_refused_and_the_brake_is_named(tmp_path):
    error = refused(environment={"TFKIT_RESERVED_CONCURRENCY": "0"}, cwd=tmp_path)
    assert "TFKIT_RESERVED_CONCURRENCY in the environment cannot be 0" in error.message
    assert "tfkit stop" in error.hint
    for taken in ("-1", "1"):
        settings = load({}, {"TFKIT_RESERVED_CONCURRENCY": taken}, tmp_path)
        assert settings.reserved_concurrency == int(taken)


@pytest.mark.parametrize("key", ["   ", "sk-1\n", "sk 1", "sk-é", "k" * 4097])
def test_a_key_that_is_none_is_refused_without_being_shown(tmp_path, key):
    error = refused(environment={"TFKIT_MISTRAL_KEY": key}, cwd=tmp_path)
    assert "TFKIT_MISTRAL_KEY" in error.message
    assert "TFKIT_MISTRAL_KEY=none" in error.hint
    assert not key.strip() or key not in error.message + error.hint


def test_a_key_is_taken_and_no_message_shows_it(tmp_path):
    settings = load({}, {"TFKIT_MISTRAL_KEY": "sk-1"}, tmp_path)
    assert settings.provider_keys == {"mistral": "sk-1"}
    assert "sk-1" not in repr(settings)
    assert load({}, {"TFKIT_MISTRAL_KEY": ""}, tmp_path).provider_keys == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kms_key_arn", "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-1234abcd"),
        ("permissions_boundary", "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"),
        ("permissions_boundary", "arn:aws-cn:iam::123456789012:policy/team/b+=,.@-_x"),
        ("log_bucket", "my.central-logs.1"),
        ("email", "first.last+tag@sub.example.co"),
        ("email", "none"),
        ("prefix", "a1"),
        ("prefix", "p" * 31),
        ("role_path", "/"),
        ("region", "us-gov-west-1"),
        ("llm", "none"),
    ],
)
def test_what_aws_takes_is_taken(tmp_path, name, value):
    assert getattr(load({name: value}, {}, tmp_path), name) == value


def test_every_retention_that_the_api_lists_is_taken_and_no_other(tmp_path):
    """The list is read from the API's own description, which botocore carries."""
    model = botocore.session.get_session().get_service_model("logs")
    listed = re.findall(
        r"\d+", model.shape_for("Days").documentation.split("Possible values are:")[1].split("</p>")[0]
    )
    assert len(listed) == 22
    for days in range(1, 4000):
        if str(days) in listed:
            assert load({"log_retention_days": days}, {}, tmp_path).log_retention_days == days
        else:
            refused({"log_retention_days": days}, cwd=tmp_path)


def test_a_file_that_is_no_toml(tmp_path):
    assert str(tmp_path / "tfkit.toml") in refused(cwd=write(tmp_path, "stack = ")).message
    (tmp_path / "tfkit.toml").write_bytes(b'stack = "\xff"')
    assert "not valid TOML" in refused(cwd=tmp_path).message
    (tmp_path / "tfkit.toml").write_text("tags = " + "[" * 100_000)
    assert "nested too deep" in refused(cwd=tmp_path).message


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
    assert f"change pin_region in {tmp_path / 'tfkit.toml'}" in error.hint


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

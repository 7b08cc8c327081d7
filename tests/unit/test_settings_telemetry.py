"""The settings of the trace: what they may look like, and how they reach the agent's function."""

from pathlib import Path

import pytest

from toolkit.cloud import Cloud
from toolkit.deploy.plan import platform_config
from toolkit.errors import UsageError
from toolkit.settings import load

SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:tools/otlp-AbCdEf"


def config(tmp_path: Path, **environment: str):
    settings = load({}, {"TFKIT_HOME": str(tmp_path), **environment}, tmp_path)
    return platform_config(settings, Cloud("local", "us-east-1", "000000000000"))


def test_without_a_word_all_is_told_and_nothing_goes_elsewhere(tmp_path: Path):
    made = config(tmp_path)
    assert "TFKIT_INCLUDE_CONTENT" not in made.agent_environment
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in made.agent_environment
    assert made.otlp_headers_parameter == ""


def test_the_function_is_told_what_was_set(tmp_path: Path):
    made = config(
        tmp_path,
        TFKIT_INCLUDE_CONTENT="false",
        TFKIT_OTLP_ENDPOINT="https://otlp.example.com/prefix",
        TFKIT_OTLP_HEADERS_PARAMETER="/tools/otlp",
    )
    assert made.agent_environment["TFKIT_INCLUDE_CONTENT"] == "0"
    assert made.agent_environment["OTEL_EXPORTER_OTLP_ENDPOINT"] == "https://otlp.example.com/prefix"
    assert made.otlp_headers_parameter == "/tools/otlp"


@pytest.mark.parametrize("url", ["http://127.0.0.1:4318", "https://api.honeycomb.io", "https://h/otlp/"])
def test_endpoints_that_can_be(tmp_path: Path, url: str):
    assert config(tmp_path, TFKIT_OTLP_ENDPOINT=url)


@pytest.mark.parametrize(
    "url", ["otlp.example.com", "ftp://h", "https://user:secret@h", "https://h?key=secret"]
)
def test_endpoints_that_cannot_be(tmp_path: Path, url: str):
    with pytest.raises(UsageError, match="TFKIT_OTLP_ENDPOINT"):
        config(tmp_path, TFKIT_OTLP_ENDPOINT=url)


@pytest.mark.parametrize("place", ["/tools/otlp", "otlp", SECRET, SECRET.replace("-AbCdEf", "")])
def test_places_of_headers(tmp_path: Path, place: str):
    assert config(tmp_path, TFKIT_OTLP_HEADERS_PARAMETER=place).otlp_headers_parameter == place


@pytest.mark.parametrize("place", ["api-key=secret", "arn:aws:s3:::bucket/key", "has a space"])
def test_what_is_no_place_may_be_the_header_itself_and_is_not_shown(tmp_path: Path, place: str):
    with pytest.raises(UsageError, match="TFKIT_OTLP_HEADERS_PARAMETER") as refused:
        config(tmp_path, TFKIT_OTLP_HEADERS_PARAMETER=place)
    assert place not in refused.value.message
    assert "the name or ARN of a parameter" in refused.value.hint

from pathlib import Path

import pytest

from toolkit.checker.findings import Diagnostic, Position, Range, from_text, init_findings, slug, to_findings
from toolkit.checker.mirrors import Provider
from toolkit.checker.staging import OVERRIDE_NAME
from toolkit.errors import PlatformError, ToolMissing

AWS = Provider(source="hashicorp/aws", mirror=Path("/m"), versions=("5.100.0",))
QUERY = "Failed to query available provider packages"


def error(summary: str, detail: str = "", file: str = "") -> Diagnostic:
    place = Range(file, Position(7)) if file else None
    return Diagnostic(severity="error", summary=summary, detail=detail, range=place)


def test_a_diagnostic_becomes_a_finding_with_its_place() -> None:
    (found,) = to_findings([error("Unsupported argument", "No “x” here.", "main.tf")], "validate")
    assert (found.rule, found.severity, found.file, found.line) == (
        "unsupported-argument",
        "high",
        "main.tf",
        7,
    )
    assert found.message == "Unsupported argument: No “x” here."


def test_warnings_are_low_and_messages_are_capped_and_relative() -> None:
    warning = Diagnostic(severity="warning", summary="W", detail="in /s/stage/m/x.tf " + "x" * 5000)
    (found,) = to_findings([warning], "validate", Path("/s/stage"))
    assert found.severity == "low"
    assert "in m/x.tf" in found.message
    assert len(found.message) <= 1200


def test_our_own_override_file_is_never_named() -> None:
    (found,) = to_findings([error("X", file=OVERRIDE_NAME)], "init")
    assert (found.file, found.line) == ("", 0)


@pytest.mark.parametrize(
    "diagnostic",
    [
        error("Failed to install provider", "write /x: no space left on device"),
        error("Failed to load plugin schemas", "Error while loading schemas for plugin components"),
        error("Plugin did not respond"),
    ],
)
def test_failures_of_the_platform_are_no_findings(diagnostic: Diagnostic) -> None:
    with pytest.raises(PlatformError):
        to_findings([diagnostic], "validate")


def test_a_listed_provider_that_nobody_can_give_is_a_missing_tool() -> None:
    detail = "for provider hashicorp/aws: could not connect to registry: no such host"
    with pytest.raises(ToolMissing, match="hashicorp/aws"):
        init_findings([error(QUERY, detail)], [Provider(source="hashicorp/aws")])


def test_an_unlisted_provider_is_a_finding_once_with_what_is_available() -> None:
    detail = "for provider hashicorp/random: provider registry.terraform.io/hashicorp/random was not found"
    (found,) = init_findings([error(QUERY, detail), error(QUERY, detail)], [AWS])
    assert found.rule == "provider-not-available"
    assert "hashicorp/aws 5.100.0" in found.hint


def test_a_constraint_that_nothing_satisfies_is_a_finding_naming_the_version() -> None:
    detail = "provider hashicorp/aws: no available releases match the given constraints ~> 6.0\n\nTo see"
    (found,) = init_findings([error(QUERY, detail)], [AWS])
    assert "~> 6.0" in found.message
    assert "5.100.0" in found.hint
    assert 'version = "~> 5.100"' in found.hint


def test_terraforms_text_is_read_error_by_error() -> None:
    text = (
        '\nError: Invalid expression\n\n  on main.tf line 2, in resource "a" "b":\n'
        "   2:   bucket = \n   3: }\n\n"
        "Expected the start.\n\nError: Other\n\n  on m/x.tf line 9:\n   9: y\n\nSecond.\n"
    )
    first, second = from_text(text)
    assert first.range == Range("main.tf", Position(2))
    assert (first.summary, first.detail) == ("Invalid expression", "Expected the start.")
    assert second.range == Range("m/x.tf", Position(9))
    assert second.detail == "Second."


def test_slugs_are_plain() -> None:
    assert slug("Reference to undeclared resource") == "reference-to-undeclared-resource"
    assert slug("…") == "error"

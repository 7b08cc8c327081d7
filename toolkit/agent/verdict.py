"""What a report means for the run: the one verdict, for the model's tools and for the gate."""

from toolkit.checker.selection import Selection, closing, counting
from toolkit.contracts import CheckReport, Finding
from toolkit.errors import PlatformError


def passes(report: CheckReport, selection: Selection) -> bool:
    """Whether the gate opens on this report."""
    return not closing(report, selection)


def to_mend(report: CheckReport, selection: Selection) -> list[Finding]:
    """The findings that keep the gate closed; the user hears of the others, and nobody has to mend them."""
    closed = {one.validator for one in closing(report, selection)}
    return [
        finding
        for result in report.results
        if result.validator in closed
        for finding in counting(result, selection)
    ]


def refuse_failed(report: CheckReport, selection: Selection) -> None:
    """Raise `PlatformError` naming a required validator that could not do its work.

    That is the platform's failure: the model cannot mend it, and must not be asked to.
    """
    for one in closing(report, selection):
        if one.failed:
            raise PlatformError(f"the validator {one.validator} failed: {one.reason}")

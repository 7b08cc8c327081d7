from datetime import UTC, datetime

import pytest

from toolkit.errors import UsageError
from toolkit.traces import parse_time

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30m", datetime(2026, 11, 30, 11, 30, tzinfo=UTC)),
        ("12h", datetime(2026, 11, 30, 0, 0, tzinfo=UTC)),
        ("1d", datetime(2026, 11, 29, 12, 0, tzinfo=UTC)),
        (" 2w ", datetime(2026, 11, 16, 12, 0, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T08:30", datetime(2026, 11, 1, 8, 30, tzinfo=UTC)),
        ("2026-11-01 08:30:05", datetime(2026, 11, 1, 8, 30, 5, tzinfo=UTC)),
        ("2026-11-01T08:30:00+02:00", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        ("2026-11-01T08:30:00Z", datetime(2026, 11, 1, 8, 30, tzinfo=UTC)),
    ],
)
def test_valid_forms(text: str, expected: datetime):
    assert parse_time(text, NOW) == expected
    assert parse_time(text, NOW).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    ["", "d", "1", "1y", "-1d", "1.5h", "yesterday", "2026-13-01", "999999w", "1d 2h", "\u0661d\u0661"],
)
def test_others_are_refused_with_the_valid_ones(text: str):
    with pytest.raises(UsageError) as caught:
        parse_time(text, NOW)
    assert caught.value.exit_code == 2
    for form in ("30m", "12h", "1d", "2w", "2026-11-30T14:00"):
        assert form in caught.value.hint

"""Every command of the pages that need a home of their own, run in order as a newcomer would type them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from docs_pages import ALONE, clean, go_through, prepared
from docs_runner import Page, Session

pytestmark = pytest.mark.thorough


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A home of a page's own."""
    session = Session(tmp_path / "home")
    try:
        yield session
    finally:
        clean(session)


@pytest.mark.parametrize("page", ALONE, ids=lambda page: page.name)
def test_a_page_in_a_home_of_its_own(page: Page, session: Session, request: pytest.FixtureRequest) -> None:
    go_through(page.name, page.steps, session, prepared(page, session, request))

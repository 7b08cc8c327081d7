"""The gateway to GitHub's REST API, through PyGithub; its errors become ours here.

https://docs.github.com/en/rest/pulls/pulls. A redirect to another host is refused by the client, so the token
stays with the host that it is for.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from github import Auth, BadAttributeException, Github, GithubException
from requests.exceptions import RequestException

from toolkit import __version__
from toolkit.errors import TfkitError
from toolkit.pulls.remote import OVERRIDE, Place
from toolkit.telemetry.redact import redact

if TYPE_CHECKING:
    from github.PullRequest import PullRequest
    from github.Repository import Repository

TIMEOUT_S = 30
MAX_SAID = 500

_HINTS = {
    401: "the token is not valid, or has run out; make another",
    403: "the token may not do this: it must be allowed to write contents and pull requests",
    404: "either it is not there, or the token may not see it",
    410: "this part of the repository is switched off",
}


# What PyGithub raises for an address of another host, and for a document that has another shape.
_NOT_UNDERSTOOD = (AssertionError, AttributeError, BadAttributeException, KeyError, TypeError, ValueError)


class GitHubRefused(TfkitError):
    """GitHub said no, or could not be reached; `status` is 0 where there was no answer."""

    def __init__(self, message: str, hint: str = "", status: int = 0) -> None:
        super().__init__(message, hint)
        self.status = status


class Opened(NamedTuple):
    """A pull request as GitHub has it."""

    number: int
    url: str
    state: str
    head: str


class GitHub:
    """One repository on GitHub, with one token."""

    def __init__(self, place: Place, api: str, token: str) -> None:
        self._place = place
        self._api = Github(
            auth=Auth.Token(token),
            base_url=api,
            timeout=TIMEOUT_S,
            user_agent=f"tfkit/{__version__}",
            retry=None,  # what was sent twice would be there twice
            seconds_between_requests=None,
            seconds_between_writes=None,
        )
        with self._translated(f"{place.path} on {place.host}"):
            self._repository: Repository = self._api.get_repo(place.path)
            self._refuse_elsewhere(api, self._repository.url)
        self._refuse_closed()

    def _refuse_elsewhere(self, api: str, url: str) -> None:
        """Raise where the API names itself otherwise: the client follows it there for every next step."""
        asked, named = urlsplit(api), urlsplit(url)
        if (named.hostname, named.port) != (asked.hostname, asked.port):
            raise GitHubRefused(
                f"{asked.hostname} says that {self._place.path} is at {redact(url)[:MAX_SAID]}",
                f"name the API by its own address: {OVERRIDE}",
            )

    def _refuse_closed(self) -> None:
        """Raise where the repository takes no branch from this token; seen before a run is asked for."""
        repository = self._repository
        if repository.archived:
            raise GitHubRefused(f"{self._place.path} is archived and takes no pull request")
        allowed = repository.permissions
        if allowed and allowed.push is False:
            raise GitHubRefused(f"the token may not push to {self._place.path}", _HINTS[403], 403)

    def found(self, branch: str) -> Opened | None:
        """The open pull request of a branch of this repository."""
        with self._translated("its pull requests"):
            head = f"{self._repository.owner.login}:{branch}"
            return next((_opened(one) for one in self._repository.get_pulls(state="open", head=head)), None)

    def get(self, number: int) -> Opened:
        """A pull request, open or not."""
        with self._translated(f"pull request #{number}"):
            return _opened(self._repository.get_pull(number))

    def open(self, *, title: str, body: str, branch: str, base: str, draft: bool) -> Opened:
        """Open a pull request for a branch of this repository."""
        with self._translated("the pull request"):
            made = self._repository.create_pull(base, branch, title=title, body=body, draft=draft)
            return _opened(made)

    def comment(self, number: int, body: str) -> None:
        """Say something below a pull request."""
        with self._translated(f"the comment on #{number}"):
            self._pull(number).create_issue_comment(body)

    def label(self, number: int, labels: Sequence[str]) -> None:
        """Add labels; GitHub makes those that the repository has not."""
        with self._translated("the labels"):
            # Not `add_to_labels`, which sends a bare list: GitHub's description of its API has an object.
            self._api.requester.requestJsonAndCheck(
                "POST", f"/repos/{self._place.path}/issues/{number}/labels", input={"labels": list(labels)}
            )

    def review(self, number: int, reviewers: Sequence[str]) -> None:
        """Ask people (`login`) and teams (`organisation/team`) for a review."""
        people = [one for one in reviewers if "/" not in one]
        teams = [one.partition("/")[2] for one in reviewers if "/" in one]
        chosen: dict[str, list[str]] = {"reviewers": people} if people else {}
        with self._translated("the reviewers"):
            self._pull(number).create_review_request(**chosen, **({"team_reviewers": teams} if teams else {}))

    def _pull(self, number: int) -> "PullRequest":
        with self._translated(f"pull request #{number}"):
            return self._repository.get_pull(number)

    @contextmanager
    def _translated(self, what: str) -> Generator[None, None, None]:
        host = self._place.host
        try:
            yield
        except GithubException as error:
            said = _said(error.data) or str(error.message or "")
            hint = _HINTS.get(error.status, "")
            raise GitHubRefused(
                f"{what}: {host} answered {error.status}: {said}", hint, error.status
            ) from error
        except RequestException as error:
            kind = type(error).__name__
            raise GitHubRefused(f"{what}: {host} cannot be reached ({kind})", "try again") from error
        except RuntimeError as error:  # a redirect that PyGithub does not follow
            raise GitHubRefused(
                f"{what}: {host} sent us elsewhere: {redact(str(error))[:MAX_SAID]}"
            ) from error
        except _NOT_UNDERSTOOD as error:
            kind = type(error).__name__
            raise GitHubRefused(
                f"{what}: the answer of {host} is not one of GitHub's API ({kind})", "see -v for more"
            ) from error


def _opened(pull: "PullRequest") -> Opened:
    return Opened(pull.number, pull.html_url, pull.state, pull.head.sha)


def _said(data: Any) -> str:
    """What GitHub's error says: its message, and what of the request was wrong."""
    if not isinstance(data, dict):
        return ""
    parts = [str(data.get("message") or "")]
    errors = data.get("errors")
    for one in errors if isinstance(errors, list) else []:
        parts.append(str(one.get("message") or one) if isinstance(one, dict) else str(one))
    return redact("; ".join(part for part in parts if part))[:MAX_SAID]

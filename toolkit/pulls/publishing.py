"""The whole of `ask --pr`: `prepare` before the run is asked for, `publish` once it is `ok`.

Both can be called again with the same run: a branch that this run pushed is found again, and so is its pull
request. Nothing is ever forced.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from toolkit.contracts import RunResult, Tree
from toolkit.errors import TfkitError, UsageError
from toolkit.git import GitRefused
from toolkit.pulls import body as written
from toolkit.pulls import commit as made
from toolkit.pulls.github import GitHub, GitHubRefused, Opened
from toolkit.pulls.recorded import Recorded
from toolkit.pulls.remote import Place, api_of, token_of
from toolkit.pulls.repository import Branches, Repository, base_for, branches, fetch
from toolkit.start.changes import Change
from toolkit.start.gather import Stays

PREFIX = "tfkit/"
MAX_SLUG = 40
MAX_LABEL = 50
"""Characters of a label's name, as GitHub has it."""

_REVIEWER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?")


class Wish(NamedTuple):
    """What was asked for with `--pr`. An empty `base` is the branch that HEAD is on, or the default one."""

    folder: Path
    remote: str = "origin"
    base: str = ""
    draft: bool = False
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()


class Prepared(NamedTuple):
    """Everything that could be wrong before a run, found right. `earlier` is what the run goes on with."""

    wish: Wish
    repository: Repository
    place: Place
    github: GitHub
    base: str
    earlier: Recorded | None


class Delivery(NamedTuple):
    """A run's work: what it began with, what it changed of that, what stayed home, its signed statement."""

    result: RunResult
    start: Tree
    changed: Sequence[Change]
    stays: Sequence[Stays]
    statement: bytes | None


def prepare(wish: Wish, environment: Mapping[str, str], earlier: Recorded | None = None) -> Prepared:
    """Look at everything that needs no run.

    Raises `UsageError` for what the user can set right, `GitRefused` and `GitHubRefused` for what these say.
    """
    _refuse_misspelt(wish)
    repository = Repository(wish.folder, environment)
    place = repository.place(wish.remote)
    api, token = api_of(place, environment), token_of(place, environment)
    repository.trust(wish.remote, place, token)
    there = branches(repository, wish.remote)
    if earlier:
        base = _base_of_earlier(earlier, place, there)
    else:
        _refuse_no_room(there)
        base = base_for(repository, wish.remote, wish.base, there)
    github = GitHub(place, api, token)
    if earlier and (found := github.get(earlier.number)).state != "open":
        raise UsageError(f"{found.url} is {found.state}", "leave --continue out, and a new one is opened")
    return Prepared(wish, repository, place, github, base, earlier)


def _refuse_misspelt(wish: Wish) -> None:
    for label in wish.labels:
        if not label.strip() or len(label) > MAX_LABEL:
            raise UsageError(f"{label!r} cannot be a label", f"1 to {MAX_LABEL} characters")
    for reviewer in wish.reviewers:
        if not _REVIEWER.fullmatch(reviewer):
            raise UsageError(f"{reviewer!r} cannot review", "name a login, or ORGANISATION/TEAM")


def _refuse_no_room(there: Branches) -> None:
    """A branch is a file among git's refs, and one of its name leaves no room for a folder."""
    if PREFIX.rstrip("/") in there.tips:
        raise UsageError(
            f"the remote has a branch {PREFIX.rstrip('/')!r}, and so it takes none that begins with {PREFIX}",
            "give that branch another name there, and ask again",
        )


def _base_of_earlier(earlier: Recorded, place: Place, there: Branches) -> str:
    if earlier.repository != f"{place.host}/{place.path}":
        raise UsageError(
            f"the earlier pull request is in {earlier.repository}, the remote is {place.host}/{place.path}",
            "name its remote: --remote NAME",
        )
    if earlier.branch not in there.tips:
        raise UsageError(f"{earlier.branch} is no longer on the remote", "leave --continue out")
    return earlier.base


def publish(
    prepared: Prepared, delivery: Delivery, before: Recorded | None = None
) -> tuple[Recorded, list[str]]:
    """Make the commit, push it, open the pull request or comment on the earlier one.

    `before` is what an earlier try of the same run came to, as far as it is known. Returns what there is now,
    and what of it GitHub did not take (labels, reviewers, the comment). Raises `NotCommitted` where the
    commit would carry lines that the user has not committed.
    """
    repository, result = prepared.repository, delivery.result
    there = branches(repository, prepared.wish.remote)
    branch = prepared.earlier.branch if prepared.earlier else branch_name(result)
    tip = there.tips.get(branch, "")
    if tip:
        fetch(repository, prepared.wish.remote, branch, tip)
    again = bool(tip) and made.tip_of_run(repository, tip, result.run_id)
    parent, commit = (_again if again else _pushed)(prepared, delivery, branch, tip)
    text = written.body(
        result,
        made.counts(repository, parent, commit),
        made.uncommitted(repository, commit, _after(delivery), delivery.stays),
        delivery.statement,
    )
    known = [one for one in (before, prepared.earlier) if one and one.run_id == result.run_id]
    told = again and any(one.commented for one in known)
    opened, problems, told = _told(prepared, delivery, branch, text, told=told)
    return _recorded(prepared, result, branch, commit, opened, told=told), problems


def branch_name(result: RunResult) -> str:
    """`tfkit/` and the prompt in a few words, and the run; the same run has the same branch.

    Of an id that nobody chose the last characters are enough: they are the random ones.
    """
    run_id = result.run_id
    words = re.sub(r"[^a-z0-9]+", "-", written.title(result).lower())[:MAX_SLUG].strip("-")
    return f"{PREFIX}{words or 'run'}-{run_id if '-' in run_id else run_id[-8:]}"


def _after(delivery: Delivery) -> Tree:
    """The tree that the run ended with."""
    files = dict(delivery.start.files)
    for change in delivery.changed:
        if change.after is None:
            files.pop(change.path, None)
        else:
            files[change.path] = change.after
    return Tree(files=files)


def _pushed(prepared: Prepared, delivery: Delivery, branch: str, tip: str) -> tuple[str, str]:
    """A new commit on the branch; its parent and itself."""
    repository, run_id = prepared.repository, delivery.result.run_id
    if tip and not prepared.earlier:
        raise TfkitError(
            f"the branch {branch} is on the remote and is not this run's",
            "delete it there, or ask again without --run-id",
        )
    parent = tip or repository.head
    tree = _tree(prepared, delivery, parent)
    commit = made.commit_tree(repository, tree, parent, written.message(delivery.result))
    try:
        made.push(repository, prepared.wish.remote, commit, branch)
    except GitRefused as refused:
        raise GitRefused(
            f"{refused.message} (nothing was pushed)",
            f"{refused.hint}; then the same command with --run-id {run_id}",
        ) from refused
    return parent, commit


def _tree(prepared: Prepared, delivery: Delivery, parent: str) -> str:
    """The tree to commit. Raises `NotCommitted` with what to do about it."""
    try:
        return made.write_tree(prepared.repository, parent, delivery.changed)
    except made.NotCommitted as refused:
        if prepared.earlier:
            refused.hint = (
                f"start from what is on the branch: git switch {prepared.earlier.branch}, and ask again"
            )
        else:
            refused.hint = (
                "the commit would carry lines that you have not committed: commit and push them, then the "
                f"same command with --run-id {delivery.result.run_id}; or stash them, and ask again"
            )
        raise


def _again(prepared: Prepared, delivery: Delivery, branch: str, tip: str) -> tuple[str, str]:
    """The commit that this run has pushed before. Raises `TfkitError` where it is not the same work."""
    parent, tree = made.parent_and_tree(prepared.repository, tip)
    if _tree(prepared, delivery, parent) != tree:
        raise TfkitError(f"the branch {branch} has other work of this run", "ask again without --run-id")
    return parent, tip


def _told(
    prepared: Prepared, delivery: Delivery, branch: str, text: str, *, told: bool
) -> tuple[Opened, list[str], bool]:
    """The pull request with the run's account in it: new, found again, or the earlier one with a comment.

    `told` says that it is there already. Returns what failed as well, and whether it is there now.
    """
    github, wish = prepared.github, prepared.wish
    if prepared.earlier:
        opened = github.get(prepared.earlier.number)
        refused = [] if told else _tried(lambda: github.comment(opened.number, text))
        return opened, refused + _problems(github, wish, opened), not refused
    try:
        opened = github.found(branch) or github.open(
            title=written.title(delivery.result),
            body=text,
            branch=branch,
            base=prepared.base,
            draft=wish.draft,
        )
    except GitHubRefused as refused:
        page = f"{prepared.place.address}/{prepared.place.path}"
        same_again = f"the same command with --run-id {delivery.result.run_id}"
        by_hand = f"or open {page}/compare/{prepared.base}...{branch}?expand=1"
        raise GitHubRefused(
            f"{refused.message}; the branch {branch} is pushed",
            "; ".join(part for part in (refused.hint, same_again, by_hand) if part),
            refused.status,
        ) from refused
    return opened, _problems(github, wish, opened), True


def _problems(github: GitHub, wish: Wish, opened: Opened) -> list[str]:
    """Do what may fail without losing the pull request; returns what failed."""
    labels = _tried(lambda: github.label(opened.number, wish.labels)) if wish.labels else []
    reviewers = _tried(lambda: github.review(opened.number, wish.reviewers)) if wish.reviewers else []
    return labels + reviewers


def _tried(step: Callable[[], None]) -> list[str]:
    """What GitHub said against it; nothing where it took it."""
    try:
        step()
    except GitHubRefused as refused:
        return [refused.message]
    return []


def _recorded(
    prepared: Prepared, result: RunResult, branch: str, commit: str, opened: Opened, *, told: bool
) -> Recorded:
    return Recorded(
        run_id=result.run_id,
        repository=f"{prepared.place.host}/{prepared.place.path}",
        branch=branch,
        base=prepared.base,
        number=opened.number,
        url=opened.url,
        commit=commit,
        commented=told,
    )

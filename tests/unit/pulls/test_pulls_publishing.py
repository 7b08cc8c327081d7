"""A run's work as a branch, a commit and a pull request; the work tree is not touched."""

import pytest
from git_world import ADDRESS
from github_server import TOKEN
from pulls_runs import delivery, ran

from toolkit.errors import TfkitError, UsageError
from toolkit.git import GitRefused
from toolkit.pulls.github import GitHubRefused
from toolkit.pulls.publishing import Wish, branch_name, prepare, publish

AFTER = {"main.tf": b'resource "a" "c" {}\n', "queue.tf": b"# new\n", "other.tf": None}


def test_a_branch_a_commit_and_a_pull_request_and_nothing_else(clone, github, environment) -> None:
    infra = clone.folder / "infra"
    prepared = prepare(Wish(infra, draft=True, labels=("iac",), reviewers=("bob", "acme/ops")), environment)
    clone.write({"README.md": b"staged\n"})
    clone.git("add", "README.md")
    clone.write({"README.md": b"unstaged\n", "infra/note.txt": b"untracked\n", "infra/.env": b"A=1\n"})
    before = clone.state()
    opened, problems = publish(prepared, delivery(infra, AFTER))
    assert clone.state() == before
    assert problems == []
    assert (opened.branch, opened.base) == ("tfkit/add-a-queue-run-00000001", "main")
    assert clone.remote("rev-parse", opened.branch) == opened.commit
    assert clone.remote("rev-parse", f"{opened.branch}^") == clone.git("rev-parse", "HEAD")
    changed = clone.remote("diff", "--name-status", "--no-renames", "main", opened.branch).splitlines()
    assert changed == ["M\tinfra/main.tf", "D\tinfra/other.tf", "A\tinfra/queue.tf"]
    assert clone.remote("show", f"{opened.branch}:infra/main.tf") == 'resource "a" "c" {}'
    assert clone.remote("log", "-1", "--format=%an <%ae>|%s", opened.branch) == (
        "Ann Example <ann@example.com>|add a queue"
    )
    assert clone.remote("for-each-ref", "--format=%(refname)").split() == [
        "refs/heads/main",
        f"refs/heads/{opened.branch}",
    ]
    (sent,) = github.bodies("pulls/create")
    assert (sent["title"], sent["head"], sent["base"], sent["draft"]) == (
        "add a queue", opened.branch, "main", True,
    )  # fmt: skip
    assert github.bodies("issues/add-labels") == [{"labels": ["iac"]}]
    assert github.bodies("pulls/request-reviewers") == [{"reviewers": ["bob"], "team_reviewers": ["ops"]}]
    assert "`note.txt`" in sent["body"] and ".env" not in sent["body"]
    assert (opened.number, opened.url) == (41, "https://github.com/acme/shop/pull/41")


def test_the_same_run_again_finds_what_it_made(clone, github, environment) -> None:
    infra = clone.folder / "infra"
    work = delivery(infra, AFTER)
    first, _ = publish(prepare(Wish(infra), environment), work)
    again, _ = publish(prepare(Wish(infra), environment), work)
    assert again == first
    assert len(github.pulls) == 1
    other = delivery(infra, {"main.tf": b"# something else\n"})
    with pytest.raises(TfkitError, match="has other work of this run"):
        publish(prepare(Wish(infra), environment), other)
    assert clone.remote("rev-parse", first.branch) == first.commit


def test_a_branch_of_somebody_else_is_never_moved(clone, github, environment) -> None:
    infra = clone.folder / "infra"
    work = delivery(infra, AFTER)
    name = branch_name(work.result)
    clone.git("push", "-q", "origin", f"HEAD:refs/heads/{name}")
    with pytest.raises(TfkitError, match="is not this run's"):
        publish(prepare(Wish(infra), environment), work)
    assert clone.remote("rev-parse", name) == clone.git("rev-parse", "HEAD")
    assert github.pulls == {}


@pytest.mark.parametrize("how", ["changed", "staged", "untracked"])
def test_lines_that_the_user_has_not_committed_are_never_published(clone, github, environment, how) -> None:
    infra = clone.folder / "infra"
    path = "infra/queue.tf" if how == "untracked" else "infra/main.tf"
    clone.write({path: b"# mine, not committed\n"})
    if how == "staged":
        clone.git("add", path)
    before = clone.state()
    work = delivery(infra, {path.removeprefix("infra/"): b"# mine, not committed\n# the run's\n"})
    with pytest.raises(TfkitError, match="not committed as the run saw them: ") as refused:
        publish(prepare(Wish(infra), environment), work)
    assert "--run-id run-00000001" in refused.value.hint
    assert clone.state() == before
    assert clone.remote("for-each-ref", "--format=%(refname)") == "refs/heads/main"
    # Committed and pushed as the hint says, the same run's work goes.
    clone.git("add", path)
    clone.git("commit", "-q", "-m", "mine")
    clone.git("push", "-q", "origin", "main")
    opened, _ = publish(prepare(Wish(infra), environment), work)
    assert clone.remote("diff", "--shortstat", "main", opened.branch).startswith(
        "1 file changed, 1 insertion"
    )


def test_line_ends_stay_those_of_the_commit(clone, github, environment) -> None:
    clone.git("config", "core.autocrlf", "true")
    infra = clone.folder / "infra"
    clone.write({"infra/main.tf": b'resource "a" "b" {}\r\n'})
    opened, _ = publish(
        prepare(Wish(infra), environment), delivery(infra, {"main.tf": b'resource "a" "b" {}\r\n#\r\n'})
    )
    assert (
        clone.remote("diff", "--shortstat", "main", opened.branch).strip() == "1 file changed, 1 insertion(+)"
    )


def test_a_mode_stays_and_a_link_is_not_written_over(clone, github, environment) -> None:
    infra = clone.folder / "infra"
    (infra / "main.tf").chmod(0o755)
    clone.git("commit", "-q", "-a", "-m", "mode")
    clone.git("push", "-q", "origin", "main")
    opened, _ = publish(prepare(Wish(infra), environment), delivery(infra, {"main.tf": b"#\n"}))
    assert clone.remote("ls-tree", opened.branch, "infra/main.tf").startswith("100755 ")
    (infra / "link.tf").symlink_to("main.tf")
    clone.git("add", "-A")
    clone.git("commit", "-q", "-m", "link")
    clone.git("push", "-q", "origin", "main")
    work = delivery(infra, {"link.tf": b"#\n"}, ran(run_id="run-00000002"))
    with pytest.raises(TfkitError, match=r"link\.tf"):
        publish(prepare(Wish(infra), environment), work)


def test_no_program_of_the_repository_runs(clone, github, environment, tmp_path) -> None:
    ran_file = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho $0 >> {ran_file}\nexit 1\n")
    program.chmod(0o755)
    hooks = clone.folder / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("pre-push", "reference-transaction", "post-index-change", "pre-auto-gc", "post-commit"):
        (hooks / name).write_bytes(program.read_bytes())
        (hooks / name).chmod(0o755)
    for name in (
        "core.fsmonitor",
        "filter.x.clean",
        "filter.x.process",
        "diff.x.textconv",
        "diff.external",
        "gpg.program",
    ):
        clone.git("config", name, str(program))
    clone.git("config", "commit.gpgSign", "true")
    clone.git("config", "log.showSignature", "true")
    (clone.folder / ".git" / "info").mkdir(exist_ok=True)
    (clone.folder / ".git" / "info" / "attributes").write_text("* filter=x diff=x\n")
    infra = clone.folder / "infra"
    publish(prepare(Wish(infra), environment), delivery(infra, AFTER))
    publish(prepare(Wish(infra), environment), delivery(infra, AFTER))
    assert not ran_file.exists()


def test_what_git_would_push_by_its_settings_stays(clone, github, environment) -> None:
    clone.git("tag", "-a", "v1", "-m", "private")
    for name, value in [
        ("push.followTags", "true"),
        ("push.gpgSign", "if-asked"),
        ("push.default", "matching"),
    ]:
        clone.git("config", name, value)
    clone.git("branch", "private")
    infra = clone.folder / "infra"
    opened, _ = publish(prepare(Wish(infra), environment), delivery(infra, AFTER))
    refs = clone.remote("for-each-ref", "--format=%(refname:short)").split()
    assert refs == ["main", opened.branch]
    assert "[branch" not in (clone.folder / ".git" / "config").read_text()


def test_a_commit_that_was_not_pushed_is_not_published(clone, github, environment) -> None:
    clone.write({"infra/secret.tf": b"# not pushed\n"})
    clone.git("add", "-A")
    clone.git("commit", "-q", "-m", "not pushed")
    with pytest.raises(UsageError, match="is not in main of the remote"):
        prepare(Wish(clone.folder / "infra"), environment)


def test_the_base_is_the_branch_that_head_is_on(clone, github, environment) -> None:
    infra = clone.folder / "infra"
    clone.git("switch", "-q", "-c", "feature")
    assert prepare(Wish(infra), environment).base == "main"  # not pushed, and without a commit of its own
    clone.git("commit", "-q", "--allow-empty", "-m", "f")
    clone.git("push", "-q", "origin", "feature")
    assert prepare(Wish(infra), environment).base == "feature"
    with pytest.raises(UsageError, match="is not in main"):
        prepare(Wish(infra, base="main"), environment)
    with pytest.raises(UsageError, match="no branch 'nowhere'"):
        prepare(Wish(infra, base="nowhere"), environment)
    clone.git("switch", "-q", "--detach", "main")
    assert prepare(Wish(infra), environment).base == "main"


def test_a_remote_that_went_on_is_no_obstacle(clone, github, environment, tmp_path) -> None:
    other = tmp_path / "other"
    clone.git("clone", "-q", str(clone.bare), str(other))
    for arguments in (("commit", "-q", "--allow-empty", "-m", "theirs"), ("push", "-q", "origin", "main")):
        clone._git(other, *arguments)
    before = clone.state()
    infra = clone.folder / "infra"
    opened, _ = publish(prepare(Wish(infra), environment), delivery(infra, AFTER))
    assert clone.remote("rev-parse", f"{opened.branch}^") == clone.git("rev-parse", "HEAD")
    assert clone.state() == before


def test_labels_that_are_refused_do_not_lose_the_pull_request(clone, github, environment) -> None:
    github.refuse["issues/add-labels"] = (422, "label is locked")
    github.refuse["pulls/request-reviewers"] = (422, "bob may not review")
    infra = clone.folder / "infra"
    opened, problems = publish(
        prepare(Wish(infra, labels=("x",), reviewers=("bob",)), environment), delivery(infra, AFTER)
    )
    assert opened.number in github.pulls
    assert len(problems) == 2 and "label is locked" in problems[0] and "bob may not review" in problems[1]


def test_a_branch_without_its_pull_request_is_said_and_the_same_run_opens_it(
    clone, github, environment
) -> None:
    infra = clone.folder / "infra"
    work = delivery(infra, AFTER)
    github.refuse["pulls/create"] = (422, "no drafts here")
    with pytest.raises(GitHubRefused, match=r"no drafts here; the branch tfkit/.* is pushed") as refused:
        publish(prepare(Wish(infra), environment), work)
    assert "--run-id run-00000001" in refused.value.hint and "/compare/main...tfkit/" in refused.value.hint
    github.refuse.clear()
    opened, _ = publish(prepare(Wish(infra), environment), work)
    assert opened.number in github.pulls


def test_a_push_that_is_refused_leaves_nothing(clone, github, environment) -> None:
    hook = clone.bare / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f"#!/bin/sh\necho protected {TOKEN} https://u:p@ss@github.com https://opaque1@a.com >&2\nexit 1\n"
    )
    hook.chmod(0o755)
    infra = clone.folder / "infra"
    with pytest.raises(GitRefused, match="nothing was pushed") as refused:
        publish(prepare(Wish(infra), environment), delivery(infra, AFTER))
    assert "protected" in refused.value.message
    assert TOKEN not in refused.value.message and "u:p" not in refused.value.message
    assert "opaque1" not in refused.value.message
    assert github.pulls == {}


def test_a_run_that_goes_on_adds_a_commit_and_a_comment(clone, github, environment) -> None:
    infra = clone.folder / "infra"
    first, _ = publish(prepare(Wish(infra), environment), delivery(infra, AFTER))
    clone.git("fetch", "-q")
    clone.git("switch", "-q", "-c", "mine", f"origin/{first.branch}")
    work = delivery(infra, {"queue.tf": b"# new\n# more\n"}, ran("and more", "run-00000002"))
    second, problems = publish(prepare(Wish(infra), environment, first), work)
    assert problems == []
    assert (second.number, second.branch) == (first.number, first.branch)
    assert clone.remote("rev-parse", f"{first.branch}^") == first.commit
    (comment,) = github.bodies("issues/create-comment")
    assert "and more" in comment["body"]
    assert len(github.pulls) == 1
    publish(prepare(Wish(infra), environment, second), work)
    assert len(github.bodies("issues/create-comment")) == 1


def test_a_run_that_did_not_start_from_the_branch_is_refused(clone, github, environment) -> None:
    infra = clone.folder / "infra"
    first, _ = publish(prepare(Wish(infra), environment), delivery(infra, AFTER))
    work = delivery(infra, {"main.tf": b"# from main\n"}, ran(run_id="run-00000002"))
    with pytest.raises(TfkitError, match=r"main\.tf") as refused:
        publish(prepare(Wish(infra), environment, first), work)
    assert f"git switch {first.branch}" in refused.value.hint
    github.pulls[first.number]["state"] = "closed"
    with pytest.raises(UsageError, match="is closed"):
        prepare(Wish(infra), environment, first)


def test_what_is_amiss_is_said_before_a_run(clone, github, environment, tmp_path) -> None:
    infra = clone.folder / "infra"

    def refused(match: str, **changed: str) -> None:
        wish = Wish(**{"folder": infra, **{k: v for k, v in changed.items() if k in Wish._fields}})
        given = {**environment, **{k: v for k, v in changed.items() if k not in Wish._fields}}
        with pytest.raises(TfkitError, match=match) as error:
            prepare(wish, given)
        assert error.value.hint

    (tmp_path / "plain").mkdir()
    refused("git", folder=tmp_path / "plain")
    refused("no remote 'upstream'", remote="upstream")
    refused("there is no token for github.com", GH_TOKEN="", PATH="/usr/bin:/bin")
    refused("answered 401: Bad credentials", GH_TOKEN="ghp_other")
    refused("TFKIT_GITHUB_API", TFKIT_GITHUB_API="http://example.com")
    refused("cannot be a label", labels=("",))
    refused("cannot review", reviewers=("a b",))
    (tmp_path / "gitconfig").write_text((tmp_path / "gitconfig").read_text().replace("email", "emil"))
    refused("does not know who the commit is by")


def test_a_repository_that_takes_nothing_is_said_before_a_run(clone, github, environment) -> None:
    github.permissions = {"admin": False, "push": False, "pull": True}
    with pytest.raises(GitHubRefused, match="may not push"):
        prepare(Wish(clone.folder), environment)
    github.permissions = {"admin": False, "push": True, "pull": True}
    github.archived = True
    with pytest.raises(GitHubRefused, match="archived"):
        prepare(Wish(clone.folder), environment)


def test_the_token_is_in_no_file_and_no_argument(clone, github, environment) -> None:
    infra = clone.folder / "infra"
    publish(prepare(Wish(infra), environment), delivery(infra, AFTER))
    for file in (clone.folder / ".git").rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes()
    assert {asked.authorization for asked in github.requests} <= {f"token {TOKEN}", f"Bearer {TOKEN}"}


def test_git_of_a_hook_does_not_lead_elsewhere(clone, github, environment, tmp_path) -> None:
    given = {**environment, "GIT_DIR": str(clone.bare), "GIT_INDEX_FILE": str(tmp_path / "index")}
    infra = clone.folder / "infra"
    opened, _ = publish(prepare(Wish(infra), given), delivery(infra, AFTER))
    assert clone.remote("rev-parse", opened.branch) == opened.commit
    assert not (tmp_path / "index").exists()


def test_names_that_git_would_quote_are_those_of_the_user(clone, github, environment) -> None:
    files = {"in fra ü/*/ä [b].tf": b"# a\n", "in fra ü/*/main.tf": b"# m\n"}
    clone.write(files)
    clone.git("add", "-A")
    clone.git("commit", "-q", "-m", "names")
    clone.git("push", "-q", "origin", "main")
    place = clone.folder / "in fra ü" / "*"
    after = {"ä [b].tf": b"# b\n", "new ö.tf": b"# n\n", "main.tf": None}
    work = delivery(place, after)
    assert len(work.changed) == 3
    opened, _ = publish(prepare(Wish(place), environment), work)
    names = clone.remote("diff", "-z", "--name-only", "main", opened.branch).strip("\0").split("\0")
    assert names == ["in fra ü/*/main.tf", "in fra ü/*/new ö.tf", "in fra ü/*/ä [b].tf"]
    assert "not committed so" not in github.bodies("pulls/create")[0]["body"]


def test_a_shallow_clone_of_the_top_is_enough(clone, github, environment, tmp_path) -> None:
    clone.git("commit", "-q", "--allow-empty", "-m", "second")
    clone.git("push", "-q", "origin", "main")
    shallow = tmp_path / "shallow"
    clone.git("clone", "-q", "--depth", "1", f"file://{clone.bare}", str(shallow))
    clone._git(shallow, "remote", "set-url", "origin", ADDRESS)
    opened, _ = publish(prepare(Wish(shallow / "infra"), environment), delivery(shallow / "infra", AFTER))
    assert clone.remote("rev-list", "--count", opened.branch) == "3"


def test_a_remote_that_pushes_elsewhere_is_refused(clone, github, environment) -> None:
    clone.git("config", "remote.origin.pushurl", "git@github.com:ann/shop.git")
    with pytest.raises(UsageError, match="is acme/shop and pushes to ann/shop"):
        prepare(Wish(clone.folder), environment)

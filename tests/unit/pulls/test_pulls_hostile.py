"""What a clone, its remote, a result or an API may hold, and that ends in no commit and no lost work."""

import pytest
from git_world import ADDRESS
from github_server import TOKEN
from pulls_runs import delivery, ran

from toolkit.errors import TfkitError, UsageError
from toolkit.git import GitRefused
from toolkit.pulls.github import GitHub, GitHubRefused
from toolkit.pulls.publishing import Wish, prepare, publish
from toolkit.pulls.repository import Repository
from toolkit.start.changes import Change

AFTER = {"main.tf": b'resource "a" "c" {}\n', "queue.tf": b"# new\n", "other.tf": None}


@pytest.mark.parametrize(
    "settings",
    [
        [("--add", "remote.origin.url", "https://github.com/acme/public.git")],
        [("--add", "remote.origin.url", ADDRESS)],
        [("remote.origin.pushurl", ADDRESS), ("--add", "remote.origin.pushurl", "https://evil.example/a/b")],
        [("remote.origin.pushurl", "https://evil.example/acme/shop.git")],
        [("url.https://evil.example/.pushInsteadOf", "https://github.com/")],
    ],
)
def test_a_remote_of_several_places_is_refused(clone, github, environment, settings) -> None:
    """HEAD is looked for at one of them, and all would get the commits that another has not."""
    for setting in settings:
        clone.git("config", *setting)
    with pytest.raises(UsageError, match=r"has 2 addresses|pushes to") as refused:
        prepare(Wish(clone.folder), environment)
    assert "--remote NAME" in refused.value.hint


def test_a_remote_that_pushes_to_the_same_place_by_ssh_is_taken(clone, environment) -> None:
    clone.git("config", "remote.origin.pushurl", "git@github.com:acme/shop.git")
    with pytest.raises(UsageError):  # it is read from the bare repository beside it
        Repository(clone.folder, environment).place("origin")
    clone.git("config", "--global", "--remove-section", f"url.{clone.bare}")
    assert Repository(clone.folder, environment).place("origin").path == "acme/shop"


def test_a_remote_by_ssh_never_sees_the_token(clone, environment) -> None:
    clone.git("config", "--global", "--remove-section", f"url.{clone.bare}")
    for address, helps in (("git@github.com:acme/shop.git", False), (ADDRESS, True)):
        clone.git("config", "remote.origin.url", address)
        repository = Repository(clone.folder, environment)
        repository.trust("origin", repository.place("origin"), TOKEN)
        asked = b"protocol=https\nhost=github.com\n\n"
        if helps:
            assert TOKEN in repository.git.remotely("credential", "fill", stdin=asked)
        else:
            with pytest.raises(GitRefused):
                repository.git.remotely("credential", "fill", stdin=asked)


EVIL = "b.txt\x00100644 {id}\t.github/workflows/x.yml"


@pytest.mark.parametrize(
    "path", [EVIL.format(id="1" * 40), "x\n.tf", "../README.md", "/x.tf", ".github/x.yml", "terraform.d/p"]
)
def test_a_path_that_no_tree_may_hold_is_in_no_commit(clone, github, environment, path) -> None:
    work = delivery(clone.folder / "infra", {"main.tf": b"#\n"})
    for change in (Change(path, None, b"x"), Change(path, b"x", None)):
        with pytest.raises(TfkitError, match="leads elsewhere or is no file of a tree"):
            publish(
                prepare(Wish(clone.folder / "infra"), environment),
                work._replace(changed=[*work.changed, change]),
            )
    assert clone.remote("for-each-ref", "--format=%(refname)") == "refs/heads/main"


@pytest.mark.parametrize(
    ("what", "new"),
    [
        ("link", "mod/extra.tf"),
        ("module", "net/extra.tf"),
        ("file", "policies/x.json"),
        ("folder", "docs.md"),
    ],
)
def test_what_is_committed_and_in_the_way_of_a_new_file_stays(clone, github, environment, what, new) -> None:
    infra = clone.folder / "infra"
    match what:
        case "link":
            (infra / "mod").symlink_to("..")
        case "module":
            head = clone.git("rev-parse", "HEAD")
            clone.git("update-index", "--add", "--cacheinfo", f"160000,{head},infra/net")
        case "file":
            clone.write({"infra/policies": b"mine\n"})
        case "folder":
            clone.write({"infra/docs.md/a.txt": b"mine\n"})
    if what != "module":
        clone.git("add", "-A")
    clone.git("commit", "-q", "-m", what)
    clone.git("push", "-q", "origin", "main")
    work = delivery(infra, {})
    with pytest.raises(TfkitError, match=f"is in the way of {new}"):
        publish(prepare(Wish(infra), environment), work._replace(changed=[Change(new, None, b"x\n")]))
    assert clone.remote("for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_a_file_of_the_runs_own_may_become_a_folder_and_a_folder_a_file(clone, github, environment) -> None:
    infra = clone.folder / "infra"
    clone.write({"infra/a.txt": b"a\n", "infra/d.txt/x.txt": b"x\n"})
    clone.git("add", "-A")
    clone.git("commit", "-q", "-m", "both")
    clone.git("push", "-q", "origin", "main")
    after = {"a.txt": None, "a.txt/in.txt": b"i\n", "d.txt/x.txt": None, "d.txt": b"d\n"}
    opened, _ = publish(prepare(Wish(infra), environment), delivery(infra, after))
    names = clone.remote("ls-tree", "-r", "--name-only", opened.branch, "infra/").split()
    assert {"infra/a.txt/in.txt", "infra/d.txt"} <= set(names)


def test_a_folder_that_is_a_link_on_the_branch_is_refused(clone, github, environment) -> None:
    infra = clone.folder / "infra"
    first, _ = publish(prepare(Wish(infra), environment), delivery(infra, AFTER))
    clone.git("fetch", "-q", "origin", first.branch)
    blob = clone.git("hash-object", "-w", "README.md")
    clone.git("switch", "-q", "-c", "mine", "FETCH_HEAD")
    clone.git("rm", "-q", "-r", "--cached", "infra")
    clone.git("update-index", "--add", "--cacheinfo", f"120000,{blob},infra")
    clone.git("commit", "-q", "-m", "a link")
    clone.git("push", "-q", "origin", f"HEAD:refs/heads/{first.branch}")
    work = delivery(infra, {"brand-new.tf": b"#\n"}, ran(run_id="run-00000002"))
    with pytest.raises(UsageError, match="infra/ is no folder in"):
        publish(prepare(Wish(infra), environment, first), work)


def test_a_branch_that_leaves_no_room_is_said_before_a_run(clone, github, environment) -> None:
    clone.git("push", "-q", "origin", "main:refs/heads/tfkit")
    with pytest.raises(UsageError, match="has a branch 'tfkit'"):
        prepare(Wish(clone.folder), environment)


@pytest.mark.parametrize("name", ["new\nline", "caf\udce9"])
def test_a_folder_of_any_name_gets_its_own_commit(clone, github, environment, name) -> None:
    place = clone.folder / name
    place.mkdir()
    (place / "main.tf").write_bytes(b"# m\n")
    clone.git("add", "-A")
    clone.git("commit", "-q", "-m", "names")
    clone.git("push", "-q", "origin", "main")
    opened, _ = publish(prepare(Wish(place), environment), delivery(place, {"main.tf": b"# n\n"}))
    assert Repository(place, environment).blobs(opened.commit).keys() == {"main.tf"}
    assert (
        clone.remote("diff", "--shortstat", "main", opened.branch).strip().startswith("1 file changed, 1 ins")
    )


def test_a_second_account_that_was_not_said_is_said_the_next_time(
    clone, github, environment, monkeypatch
) -> None:
    infra = clone.folder / "infra"
    first, _ = publish(prepare(Wish(infra), environment), delivery(infra, AFTER))
    clone.git("fetch", "-q")
    clone.git("switch", "-q", "-c", "mine", f"origin/{first.branch}")
    work = delivery(infra, {"queue.tf": b"# new\n# more\n"}, ran("and more", "run-00000002"))

    def interrupted(*_arguments) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(GitHub, "comment", interrupted)
        publish(prepare(Wish(infra), environment, first), work)
    github.refuse["issues/create-comment"] = (422, "locked")
    second, problems = publish(prepare(Wish(infra), environment, first), work)
    assert "locked" in problems[0] and not second.commented
    github.refuse.clear()
    third, problems = publish(prepare(Wish(infra), environment, first), work, second)
    assert problems == [] and third.commented
    said = len(github.bodies("issues/create-comment"))
    publish(prepare(Wish(infra), environment, first), work, third)
    assert len(github.bodies("issues/create-comment")) == said == 2  # the one that was refused, and one


def test_an_api_that_names_itself_otherwise_is_said_before_a_run(
    clone, github, environment, monkeypatch
) -> None:
    of = github._repository
    monkeypatch.setattr(
        github,
        "_repository",
        lambda example: of(example) | {"url": "https://ghe.corp/api/v3/repos/acme/shop"},
    )
    with pytest.raises(GitHubRefused, match=r"says that acme/shop is at https://ghe\.corp/") as refused:
        prepare(Wish(clone.folder), environment)
    assert "TFKIT_GITHUB_API" in refused.value.hint


def test_an_issue_of_another_host_loses_no_pull_request(clone, github, environment, monkeypatch) -> None:
    of = github._opened
    monkeypatch.setattr(
        github, "_opened", lambda example, body: of(example, body) | {"issue_url": "https://ghe.corp/x"}
    )
    infra = clone.folder / "infra"
    opened, problems = publish(prepare(Wish(infra, labels=("iac",)), environment), delivery(infra, AFTER))
    assert (opened.number, problems) == (41, [])
    assert github.bodies("issues/add-labels") == [{"labels": ["iac"]}]


@pytest.mark.parametrize("answer", [[], "x", None, {"number": "seven"}, {"number": 41, "head": 3}])
def test_an_answer_of_another_shape_is_an_error_of_ours(
    clone, github, environment, monkeypatch, answer
) -> None:
    infra = clone.folder / "infra"
    prepared = prepare(Wish(infra), environment)
    monkeypatch.setattr(
        type(github), "answer", lambda *asked: (201, answer) if asked[1] == "POST" else (200, [])
    )
    with pytest.raises(GitHubRefused, match=r"the branch tfkit/.* is pushed"):
        publish(prepared, delivery(infra, AFTER))

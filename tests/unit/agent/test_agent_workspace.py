"""The files of a run: what may be written, read, edited and deleted, and what a refusal says."""

from collections.abc import Callable
from typing import Any

import pytest
from agent_scripts import answer, call, hold, make_talk, say, used, write
from pydantic_ai.messages import ToolCallPart

from toolkit.agent import workspace as limits
from toolkit.agent.workspace import Refused, Workspace


@pytest.mark.parametrize(
    ("path", "mend"),
    [
        ("/etc/main.tf", "relative to the workspace"),
        ("../main.tf", "from the workspace's root"),
        ("a/../../main.tf", "from the workspace's root"),
        ("a//main.tf", "from the workspace's root"),
        ("a\\main.tf", "written with /"),
        ("a\0.tf", "NUL"),
        ("", "between 1 and"),
        ("m/" * 20 + "main.tf", "folders deep"),
        (".terraform/providers/x.tf", "configure tools"),
        (".tflint.hcl", "configure tools"),
        ("terraform.d/plugins/x.sh", "execute"),
        ("x_override.tf", "into the block itself"),
        ("x.auto.tfvars", "*.tfvars.example"),
        ("main.exe", "only these names are taken"),
    ],
)
def test_a_path_that_no_tree_may_hold_is_refused_with_what_to_do_instead(path: str, mend: str):
    workspace = Workspace()
    with pytest.raises(Refused) as refusal:
        workspace.write(path, "x")
    assert mend in str(refusal.value)
    assert workspace.tree.files == {}


def test_what_is_written_is_read_listed_and_part_of_the_tree():
    workspace = Workspace()
    assert workspace.write("modules/a/main.tf", "ä\n") == 3
    workspace.write("main.tf", "b")
    assert workspace.read("modules/a/main.tf") == "ä\n"
    assert workspace.paths() == [("main.tf", 1), ("modules/a/main.tf", 3)]
    assert workspace.tree.files == {"main.tf": b"b", "modules/a/main.tf": b"\xc3\xa4\n"}


def test_a_tree_once_taken_does_not_change_with_the_workspace():
    workspace = Workspace()
    workspace.write("main.tf", "a")
    before = workspace.tree
    workspace.write("main.tf", "b")
    assert before.files == {"main.tf": b"a"}


def test_what_the_user_brought_is_replaced_and_deleted_only_after_it_was_read():
    workspace = Workspace({"main.tf": b"a", "gone.tf": b"b"})
    with pytest.raises(Refused, match=r"main.tf is there already: read it before you replace it"):
        workspace.write("main.tf", "c")
    with pytest.raises(Refused, match=r"read gone.tf before you delete it"):
        workspace.delete("gone.tf")
    for path in ("main.tf", "gone.tf"):
        workspace.read(path)
    workspace.write("main.tf", "c")
    workspace.delete("gone.tf")
    assert workspace.tree.files == {"main.tf": b"c"}


def test_many_files_of_the_user_leave_room_for_those_of_the_model():
    workspace = Workspace({f"f{number}.tf": b"" for number in range(300)})
    workspace.write("new.tf", "x")
    assert len(workspace.tree.files) == 301


def test_an_edit_needs_a_read_or_a_write_before():
    workspace = Workspace({"main.tf": b"one two"})
    with pytest.raises(Refused, match=r"read main.tf before you edit it"):
        workspace.edit("main.tf", "one", "1")
    workspace.read("main.tf")
    workspace.edit("main.tf", "one", "1")
    workspace.write("new.tf", "three")
    workspace.edit("new.tf", "three", "3")
    assert workspace.tree.files == {"main.tf": b"1 two", "new.tf": b"3"}


@pytest.mark.parametrize(
    ("text", "old", "said"),
    [
        ("a b", "c", "not found"),
        ("a b a", "a", "found 2 times"),
        ("aaa", "aa", "found 2 times"),
        ("a", "", "not found"),
    ],
)
def test_an_edit_wants_exactly_one_match(text: str, old: str, said: str):
    workspace = Workspace()
    workspace.write("main.tf", text)
    with pytest.raises(Refused, match=said) as refusal:
        workspace.edit("main.tf", old, "x")
    assert "Give more of the lines around" in str(refusal.value)
    assert workspace.read("main.tf") == text


def test_a_file_that_is_no_text_is_neither_read_nor_spoilt_by_an_edit():
    workspace = Workspace({"a.txt": b"\xff\xfe name"})
    with pytest.raises(Refused, match="not UTF-8"):
        workspace.read("a.txt")
    with pytest.raises(Refused):
        workspace.edit("a.txt", "name", "other")
    assert workspace.tree.files == {"a.txt": b"\xff\xfe name"}


def test_an_edit_may_not_make_a_file_too_large(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 10)
    workspace = Workspace()
    workspace.write("main.tf", "x")
    with pytest.raises(Refused, match="would have 11 bytes"):
        workspace.edit("main.tf", "x", "y" * 11)
    assert workspace.read("main.tf") == "x"


def test_limits_of_a_file_of_the_tree_and_of_the_count(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 10)
    monkeypatch.setattr(limits, "MAX_TREE_BYTES", 15)
    monkeypatch.setattr(limits, "MAX_FILES", 3)
    workspace = Workspace()
    with pytest.raises(Refused, match=r"10 are allowed\. Write less"):
        workspace.write("a.tf", "x" * 11)
    workspace.write("a.tf", "x" * 10)
    with pytest.raises(Refused, match="together may have 15 bytes; delete something first"):
        workspace.write("b.tf", "x" * 6)
    workspace.write("a.tf", "y" * 10)  # what is replaced does not count twice
    workspace.write("b.tf", "x")
    workspace.write("c.tf", "x")
    with pytest.raises(Refused, match="may be 3 files; delete something first"):
        workspace.write("d.tf", "x")
    workspace.write("c.tf", "z")  # replacing is no further file
    workspace.delete("a.tf")
    workspace.write("d.tf", "x")
    assert [path for path, _ in workspace.paths()] == ["b.tf", "c.tf", "d.tf"]


def test_fifty_megabytes_are_refused():
    workspace = Workspace()
    with pytest.raises(Refused, match="Write less"):
        workspace.write("main.tf", "x" * 50 * 1024 * 1024)
    assert workspace.paths() == []


def test_text_that_is_no_unicode_is_refused_at_its_place():
    workspace = Workspace()
    with pytest.raises(Refused, match="not valid Unicode at position 2"):
        workspace.write("main.tf", "ab\ud800")
    assert workspace.paths() == []


@pytest.mark.parametrize(
    "use", [lambda w: w.read("b.tf"), lambda w: w.edit("b.tf", "a", "b"), lambda w: w.delete("b.tf")]
)
def test_a_file_that_is_not_there_is_answered_with_those_that_are(use: Callable[[Workspace], Any]):
    with pytest.raises(Refused, match=r"no file 'b.tf'; the files are: a.tf"):
        use(Workspace({"a.tf": b""}))
    with pytest.raises(Refused, match="none yet"):
        use(Workspace())


def test_a_deleted_file_is_gone_and_has_to_be_read_again():
    workspace = Workspace()
    workspace.write("a.tf", "x")
    workspace.delete("a.tf")
    assert workspace.tree.files == {}
    with pytest.raises(Refused, match="no file"):
        workspace.edit("a.tf", "x", "y")


@pytest.mark.parametrize(
    ("mistake", "mend"),
    [
        (write("../main.tf"), "write the path from the workspace's root"),
        (write("main.tf", "\ud800"), "Invalid JSON"),
        (answer(ToolCallPart("write_file", '{"path": "main.tf", "content": "\ud800"}')), "Invalid JSON"),
        (call("read_file", path="main.tf"), "the files are: none yet"),
        (call("edit_file", path="main.tf", old="a", new="b"), "the files are: none yet"),
        (call("delete_file", path="main.tf"), "the files are: none yet"),
    ],
)
def test_the_model_reads_a_refusal_as_a_retry_and_can_mend_it(mistake: Any, mend: str):
    # With usage given, because FunctionModel's own estimate stumbles over what is no Unicode.
    talk = make_talk(*[used(step, 1, 1) for step in (mistake, write("main.tf"), say("done"))])
    assert hold(talk).converged
    assert len(talk.script.retries) == 1
    assert mend in talk.script.retries[0]


def test_the_file_tools_answer_what_they_did():
    talk = make_talk(
        call("list_files"),
        write("main.tf", "one two"),
        call("edit_file", path="main.tf", old="one", new="1"),
        call("read_file", path="main.tf"),
        write("old.tf", "x"),
        call("delete_file", path="old.tf"),
        call("list_files"),
        say("done"),
    )
    hold(talk)
    assert talk.script.tool_answers == [
        "no files yet", "wrote main.tf (7 bytes)", "edited main.tf", "1 two", "wrote old.tf (1 bytes)",
        "deleted old.tf", "main.tf (5 bytes)",
    ]  # fmt: skip
    assert talk.workspace.tree.files == {"main.tf": b"1 two"}

"""What is a dataset, and what is refused: by the name of the task and the field."""

from pathlib import Path

import msgspec
import pytest

from toolkit.errors import UsageError
from toolkit.evaluate.dataset import chosen, load_dataset
from toolkit.evaluate.task import Task

HEAD = "Resource,Prompt,Rego intent,Difficulty,Reference output,Intent\n"


def written(folder: Path, text: str, name: str = "set.yaml") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_a_csv_of_iac_evals_form(tmp_path: Path) -> None:
    rows = 'aws_vpc,a vpc,"package a\ndefault valid = false",3,"resource ""aws_vpc"" ""a"" {}",one vpc\n'
    dataset = load_dataset(written(tmp_path, f"\ufeff{HEAD}{rows}", "set.csv"))
    assert (dataset.name, len(dataset.sha256)) == ("set", 64)
    (task,) = dataset.tasks
    assert (task.id, task.prompt, task.difficulty) == ("001", "a vpc", "3")
    assert task.expect.rego == "package a\ndefault valid = false"
    assert task.reference == {"main.tf": 'resource "aws_vpc" "a" {}'}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Resource,Prompt,Difficulty\nx,y,1\n", "no column Rego intent"),
        (f"{HEAD}aws_vpc,,package a,1,,\n", "task 1: Prompt is empty"),
        (f'{HEAD}aws_vpc,p,"package a,1,,\n', "line"),
        (HEAD, "holds no tasks"),
    ],
)
def test_a_csv_that_cannot_be_used(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load_dataset(written(tmp_path, text, "set.csv"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("prompt: p, expects: {}", r"task 1 \(a\): .*unknown field `expects`"),
        ("prompt: p, expect: {resources: {aws_vpc: -1}}", r"task 1 \(a\): .*\$\.expect\.resources"),
        ("prompt: ''", r"task 1 \(a\): .*\$\.prompt"),
        ("prompt: p, expect: {attributes: [{resource: x, path: y}]}", "nothing is expected of x.y"),
        ("prompt: p, expect: {jmespath: ['a[']}", "task a: "),
        ("prompt: p, expect: {attributes: [{resource: x, path: y, matches: '('}]}", "task a: "),
    ],
)
def test_what_is_misspelt_names_the_task_and_the_field(tmp_path: Path, fields: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load_dataset(written(tmp_path, f"tasks: [{{id: a, {fields}}}]"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tasks: [{id: a, prompt: p}, {id: a, prompt: q}]", "two tasks are called a"),
        ("tasks: [{prompt: p}]", "without id"),
        ("tasks: 3", "Expected `array`"),
        ("tasks: [", "while parsing"),
        ("tasks: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
    ],
)
def test_a_yaml_that_cannot_be_used(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load_dataset(written(tmp_path, text))


def test_another_kind_of_file_and_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither"):
        load_dataset(written(tmp_path, "{}", "set.json"))
    with pytest.raises(UsageError, match="cannot be read"):
        load_dataset(str(tmp_path / "none.csv"))


def test_the_starter_set_says_something_of_each_of_its_thirty_answers() -> None:
    tasks = load_dataset("starter").tasks
    assert len(tasks) == 30
    assert {task.difficulty for task in tasks} == {"easy", "medium", "hard"}
    for task in tasks:
        said = msgspec.to_builtins(task.expect)
        assert any(value for name, value in said.items() if name != "clean"), task.id


def test_tasks_are_chosen_by_id_and_number(tmp_path: Path) -> None:
    dataset = load_dataset("starter")
    first, second, *_ = dataset.tasks

    def ids(tasks: list[Task]) -> list[str]:
        return [task.id for task in tasks]

    assert ids(chosen(dataset, f"{second.id}, {first.id}", None)) == [first.id, second.id]
    assert ids(chosen(dataset, None, 2)) == [first.id, second.id]
    with pytest.raises(UsageError, match="no task is called nobody"):
        chosen(dataset, f"{first.id},nobody", None)
    with pytest.raises(UsageError, match="no task"):
        chosen(dataset, " ", None)

"""Who answers the tasks: the deployed agent, the same agent in this process, or the dataset itself."""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from typing_extensions import override

from toolkit.client import Client
from toolkit.cloud import Cloud
from toolkit.contracts import AskRequest, RunRecord, RunResult, StackOutputs, Tree
from toolkit.errors import PlatformError
from toolkit.evaluate.task import Answer, Task

OnStep = Callable[[str, str], None]
"""Told the id of a task and what is being done about it."""


class Author(Protocol):
    """Answers tasks; may be asked from several threads."""

    def answer(self, task: Task, run_id: str, on_step: OnStep) -> Answer:
        """The answer to a task. Asked again with the same run id it does nothing twice.

        Raises `TfkitError` where the platform is at fault.
        """
        ...


class References:
    """The right answers of the dataset, to show what the judge gets wrong."""

    def answer(self, task: Task, run_id: str, on_step: OnStep) -> Answer:  # noqa: ARG002
        """The reference of the task; no files where it has none."""
        return Answer(run_id=run_id, status="reference", final=texts(task.reference))


class DeployedAgent:
    """The platform's agent, asked as `tfkit ask` asks it. `request` is what all tasks have in common."""

    def __init__(self, client: Client, request: AskRequest) -> None:
        self._client = client
        self._request = request

    def answer(self, task: Task, run_id: str, on_step: OnStep) -> Answer:
        """See `Author`. A run that was begun earlier is followed, and one that has ended is looked up."""
        start = texts(task.files)
        request = msgspec.structs.replace(
            self._request,
            run_id=self._run_id(run_id),
            prompt=task.prompt,
            start=start.hash if start.files else "",
        )
        self._work(request, start, lambda record: on_step(task.id, record.step))
        return self._answer(self._client.result(request.run_id), start)

    def _run_id(self, run_id: str) -> str:
        return run_id

    def _work(self, request: AskRequest, start: Tree, on_update: Callable[[RunRecord], None]) -> None:
        record = self._client.record(request.run_id)
        if record is None or not record.ended:
            self._client.submit(request, start)
            self._client.follow(request.run_id, on_update)

    def _answer(self, result: RunResult, start: Tree) -> Answer:
        final = self._client.tree(result, start)
        first: Tree | None = None
        if result.attempts:
            same = result.attempts[0].tree == final.hash
            first = final if same else self._client.attempt(result, 1)
        return Answer(
            run_id=result.run_id,
            status=result.status,
            final=final,
            first=first,
            attempts=len(result.attempts),
            model=result.model,
            error=result.error or "",
            usage=result.usage,
            seconds=result.seconds,
        )


class LocalAgent(DeployedAgent):
    """This installation's agent in this process, on the platform's table, bucket, records and models.

    For a change of the agent that is not deployed yet. It acts with the caller's rights, and checks here.
    """

    def __init__(self, client: Client, request: AskRequest, cloud: Cloud, outputs: StackOutputs) -> None:
        super().__init__(client, request)
        self._cloud = cloud
        self._outputs = outputs

    @override
    def _run_id(self, run_id: str) -> str:
        """Another each time: one that was interrupted died with its process."""
        from toolkit.tables import new_run_id

        return new_run_id()

    @override
    def _work(self, request: AskRequest, start: Tree, on_update: Callable[[RunRecord], None]) -> None:
        from toolkit.agent.run import execute
        from toolkit.checker.message import pack
        from toolkit.tables import start_key

        if start.files:
            self._cloud.client("s3").put_object(
                Bucket=self._outputs.runs_bucket, Key=start_key(request.run_id), Body=pack(start)
            )
        remaining_s = request.timeout_s + 60
        clients: Any = _CallersClients(self._cloud)
        if execute(request, self._config(), clients, remaining_s) is None:  # somebody else has the run
            self._client.follow(request.run_id, on_update)

    def _config(self) -> Any:
        """What the deployed function was told, but for its checker and its metrics."""
        from toolkit.agent.config import AgentConfig

        found = self._cloud.client("lambda").get_function_configuration(
            FunctionName=self._outputs.function_name
        )
        variables = found.get("Environment", {}).get("Variables", {})
        if not variables:
            raise PlatformError("the agent's function has no settings to go by", "run `tfkit up`")
        config = AgentConfig.from_environment(variables)
        # Its metrics are lines on standard output, for Lambda to read: here that is the command's own.
        return msgspec.structs.replace(config, checker_function="", metrics_namespace="")


class _CallersClients:
    """The agent's clients (`agent.config.Clients`), with the caller's credentials."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def __getattr__(self, name: str) -> Any:
        services = {"bedrock": "bedrock-runtime", "checker": "lambda"}
        if name.startswith("_"):
            raise AttributeError(name)
        return self._cloud.client(services.get(name, name))


def texts(files: dict[str, str]) -> Tree:
    """The files of a dataset as a tree."""
    return Tree(files={path: text.encode() for path, text in files.items()})

"""CodeBuild projects."""

from typing import Any

from typing_extensions import override

from toolkit.local.provider.errors import gone_is_fine
from toolkit.local.provider.kind import Call, Kind
from toolkit.local.provider.tags import from_list, to_list
from toolkit.local.provider.wire import Props

SAME = ("name", "description", "serviceRole", "source", "artifacts", "environment")
"""The properties that CodeBuild's API and pulumi-aws name and write alike."""

DEFAULTS: Props = {"description": "", "buildTimeout": 60}
"""What a project falls back to when a property is taken away (CodeBuild API, CreateProject)."""

LOGS: Props = {"cloudWatchLogs": {"status": "ENABLED"}}
"""Where a project logs to that does not say so: a group of its own (CodeBuild API, LogsConfig)."""


class Project(Kind):
    """A project; the id is its ARN, as in pulumi-aws.

    Emulators up to MiniStack 1.5.33 forget `logsConfig`: it goes to them, and where they do not report it,
    it is taken as asked.
    """

    type_name = "aws:codebuild/project:Project"
    takes = """
        name!+ serviceRole! description buildTimeout
        source{type! location buildspec} artifacts{type!}
        environment{type! computeType! image! privilegedMode}
        logsConfig{cloudwatchLogs{groupName status}} tags
    """
    gives = "arn"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        found = _described(call, inputs["name"])
        return str(found["arn"]) if found else None

    @override
    def tags(self, call: Call, id_: str) -> dict[str, str]:
        return _tags(_described(call, id_) or {})

    @override
    def create(self, call: Call, inputs: Props) -> str:
        made = call.aws("codebuild").create_project(**_given(inputs))
        return str(made["project"]["arn"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        found = _described(call, id_)
        if found is None:
            return None
        logs = found.get("logsConfig")
        return {
            **{name: found.get(name, DEFAULTS.get(name)) for name in SAME},
            **({"logsConfig": {"cloudwatchLogs": logs.get("cloudWatchLogs", {})}} if logs else {}),
            "buildTimeout": found["timeoutInMinutes"],
            "tags": _tags(found),
            "arn": found["arn"],
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        # A change takes the tags as a whole, so none are left over (CodeBuild API, UpdateProject).
        call.aws("codebuild").update_project(**_given(inputs))

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            # MiniStack knows a project to delete by its name only, where AWS also takes the ARN.
            call.aws("codebuild").delete_project(name=id_.rpartition("/")[2])


def _described(call: Call, name: str) -> dict[str, Any] | None:
    """A project by its name or its ARN; what is not there, CodeBuild leaves out."""
    found: list[dict[str, Any]] = call.aws("codebuild").batch_get_projects(names=[name])["projects"]
    return found[0] if found else None


def _tags(found: dict[str, Any]) -> dict[str, str]:
    return from_list(found.get("tags", []), "key", "value")


def _given(inputs: Props) -> dict[str, Any]:
    """The arguments of creation and change, whole: what is not asked for goes back to its default."""
    asked = {**DEFAULTS, **inputs}
    logs = asked.get("logsConfig", {}).get("cloudwatchLogs")
    return {
        **{name: asked[name] for name in SAME if name in asked},
        "timeoutInMinutes": asked["buildTimeout"],
        "logsConfig": {"cloudWatchLogs": {**LOGS["cloudWatchLogs"], **logs}} if logs else LOGS,
        "tags": to_list(asked.get("tags", {}), "key", "value"),
    }


KINDS: tuple[Kind, ...] = (Project(),)

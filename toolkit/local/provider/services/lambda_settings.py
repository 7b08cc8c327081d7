"""What belongs to a function: how events are retried, and who may invoke it."""

import json
from typing import Any

from botocore.exceptions import ClientError
from typing_extensions import override

from toolkit.local.provider.errors import gone_is_fine, is_gone
from toolkit.local.provider.kind import Call, Kind
from toolkit.local.provider.names import camel, pascal
from toolkit.local.provider.wire import Props


class FunctionEventInvokeConfig(Kind):
    """Retries, age and destinations of asynchronous invocations; the id is the function's name."""

    type_name = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
    takes = """
        functionName!+ maximumRetryAttempts maximumEventAgeInSeconds
        destinationConfig{onFailure{destination!} onSuccess{destination!}}
    """

    @override
    def create(self, call: Call, inputs: Props) -> str:
        self.update(call, inputs["functionName"], inputs)
        return str(inputs["functionName"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        try:
            found = call.aws("lambda").get_function_event_invoke_config(FunctionName=id_)
        except ClientError as error:
            if is_gone(error):
                return None
            raise
        destinations = camel(found.get("DestinationConfig", {}))
        return {
            "functionName": id_,
            "maximumRetryAttempts": found.get("MaximumRetryAttempts"),
            "maximumEventAgeInSeconds": found.get("MaximumEventAgeInSeconds"),
            "destinationConfig": {name: inner for name, inner in destinations.items() if inner},
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        given = {
            name: inputs[name] for name in self.table.properties if name in inputs and name != "functionName"
        }
        call.aws("lambda").put_function_event_invoke_config(FunctionName=id_, **pascal(given))

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("lambda").delete_function_event_invoke_config(FunctionName=id_)


class Permission(Kind):
    """Who may invoke a function; the id is the statement's."""

    type_name = "aws:lambda/permission:Permission"
    takes = "statementId!+ function!+ action!+ principal!+ sourceArn+ sourceAccount+"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        return inputs["statementId"] if _statement(call, inputs["function"], inputs["statementId"]) else None

    @override
    def create(self, call: Call, inputs: Props) -> str:
        given = {
            name: inputs[name] for name in self.table.properties if name in inputs and name != "function"
        }
        call.aws("lambda").add_permission(FunctionName=inputs["function"], **pascal(given))
        return str(inputs["statementId"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        statement = _statement(call, props["function"], id_)
        if statement is None:
            return None
        principal = statement["Principal"]
        conditions = {
            name: value
            for operator in statement.get("Condition", {}).values()
            for name, value in operator.items()
        }
        return {
            "statementId": id_,
            "function": props["function"],
            "action": statement["Action"],
            "principal": next(iter(principal.values())) if isinstance(principal, dict) else principal,
            "sourceArn": conditions.get("AWS:SourceArn"),
            "sourceAccount": conditions.get("AWS:SourceAccount"),
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        """Nothing of a statement can be changed."""

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("lambda").remove_permission(FunctionName=props["function"], StatementId=id_)


def _statement(call: Call, function: str, id_: str) -> dict[str, Any] | None:
    try:
        policy = json.loads(call.aws("lambda").get_policy(FunctionName=function)["Policy"])
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    found = (statement for statement in policy["Statement"] if statement.get("Sid") == id_)
    return next(found, None)


KINDS: tuple[Kind, ...] = (FunctionEventInvokeConfig(), Permission())

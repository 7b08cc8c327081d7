"""Lambda functions. Their event settings and permissions are in `lambda_settings`."""

from typing import Any

from botocore.exceptions import ClientError
from typing_extensions import override

from toolkit.local.provider.errors import gone_is_fine, is_gone, there
from toolkit.local.provider.kind import Call, Kind
from toolkit.local.provider.names import camel, pascal
from toolkit.local.provider.services.lambda_code import sha256, zipped
from toolkit.local.provider.tags import settle
from toolkit.local.provider.wire import Props

DEFAULTS: Props = {
    "description": "",
    "memorySize": 128,
    "timeout": 3,
    "environment": {"variables": {}},
    "ephemeralStorage": {"size": 512},
    "tracingConfig": {"mode": "PassThrough"},
    "deadLetterConfig": {"targetArn": ""},
    "kmsKeyArn": "",
    "vpcConfig": {"subnetIds": [], "securityGroupIds": []},
}
"""What a function falls back to when a property is taken away (Lambda API, UpdateFunctionConfiguration)."""

CODE = ("runtime", "handler")
"""The properties of the configuration that only a Zip has."""

UNLIKE = {"kmsKeyArn": "KMSKeyArn", "commands": "Command", "entryPoints": "EntryPoint"}
"""Lambda's names that are not just the same with a capital."""


class Function(Kind):
    """A function; the id is its name."""

    type_name = "aws:lambda/function:Function"
    takes = """
        name!+ role! packageType+ code imageUri handler runtime architectures memorySize timeout description
        environment{variables} ephemeralStorage{size!} tracingConfig{mode!} deadLetterConfig{targetArn!}
        imageConfig{commands entryPoints workingDirectory} vpcConfig{subnetIds! securityGroupIds!}
        kmsKeyArn loggingConfig{logFormat! logGroup applicationLogLevel systemLogLevel}
        reservedConcurrentExecutions tags
    """
    gives = "arn invokeArn qualifiedArn lastModified version"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        return inputs["name"] if _described(call, inputs["name"]) else None

    @override
    def tags(self, call: Call, id_: str) -> dict[str, str]:
        found: dict[str, str] = (_described(call, id_) or {}).get("Tags", {})
        return found

    @override
    def create(self, call: Call, inputs: Props) -> str:
        image = inputs.get("packageType") == "Image"
        code = {"ImageUri": inputs["imageUri"]} if image else {"ZipFile": zipped(inputs.get("code", {}))}
        call.aws("lambda").create_function(
            PackageType=inputs.get("packageType", "Zip"),
            Code=code,
            Architectures=inputs.get("architectures", ["x86_64"]),
            Tags=inputs.get("tags", {}),
            **_configuration(inputs),
        )
        _settled(call, inputs["name"])
        _reserve(call, inputs)
        return str(inputs["name"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        found = _described(call, id_)
        if found is None:
            return None
        live = found["Configuration"]
        at = call.clients
        arn = live["FunctionArn"]
        invocations = (
            f"arn:{at.partition}:apigateway:{at.region}:lambda:path/2015-03-31/functions/{arn}/invocations"
        )
        return {
            **_live_configuration(live),
            **_live_code(found, props),
            "name": id_,
            "packageType": live.get("PackageType", "Zip"),
            "architectures": live.get("Architectures", ["x86_64"]),
            "reservedConcurrentExecutions": found.get("Concurrency", {}).get(
                "ReservedConcurrentExecutions", -1
            ),
            "tags": found.get("Tags", {}),
            "arn": arn,
            "invokeArn": invocations,
            "qualifiedArn": f"{arn}:{live['Version']}",
            "lastModified": live["LastModified"],
            "version": live["Version"],
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        client = call.aws("lambda")
        found = there(_described(call, id_))
        _update_code(call, inputs, found)
        client.update_function_configuration(**_configuration({**DEFAULTS, **inputs}))
        _settled(call, id_)
        _reserve(call, inputs)
        arn = found["Configuration"]["FunctionArn"]
        settle(
            inputs.get("tags", {}),
            found.get("Tags", {}),
            lambda tags: client.tag_resource(Resource=arn, Tags=tags),
            lambda names: client.untag_resource(Resource=arn, TagKeys=names),
        )

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("lambda").delete_function(FunctionName=id_)


def _described(call: Call, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = call.aws("lambda").get_function(FunctionName=name)
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    return found


def _configuration(inputs: Props) -> dict[str, Any]:
    """The arguments that creation and update have in common."""
    names = [*DEFAULTS, "role", "loggingConfig"]
    if inputs.get("packageType", "Zip") == "Zip":
        names += CODE
    else:
        names.append("imageConfig")
    given = {name: inputs[name] for name in names if name in inputs}
    # A map of the user's own names must not be capitalised with the rest.
    variables = given.pop("environment", {}).get("variables", {})
    configuration: dict[str, Any] = pascal(given, UNLIKE)
    return {**configuration, "Environment": {"Variables": variables}, "FunctionName": inputs["name"]}


def _live_configuration(live: dict[str, Any]) -> Props:
    found = {name: value for name, value in live.items() if name != "Environment"}
    shown: Props = camel(found, UNLIKE)
    names = {*DEFAULTS, *CODE, "role", "loggingConfig"}
    environment = {"variables": live.get("Environment", {}).get("Variables", {})}
    return {**{name: shown.get(name) or DEFAULTS.get(name) for name in names}, "environment": environment}


def _live_code(found: dict[str, Any], props: Props) -> Props:
    """The code as it was given where it is what runs; an empty archive where something else does."""
    if props.get("packageType") == "Image":
        run = found["Configuration"].get("ImageConfigResponse", {}).get("ImageConfig", {})
        return {"imageUri": found.get("Code", {}).get("ImageUri"), "imageConfig": camel(run, UNLIKE)}
    if not props.get("code"):
        return {}
    runs = found["Configuration"].get("CodeSha256")
    return {"code": props["code"] if runs == sha256(zipped(props["code"])) else {}}


def _update_code(call: Call, inputs: Props, found: dict[str, Any]) -> None:
    if inputs.get("packageType") == "Image":
        code: dict[str, Any] = {"ImageUri": inputs["imageUri"]}
        same = found.get("Code", {}).get("ImageUri") == inputs["imageUri"]
    else:
        code = {"ZipFile": zipped(inputs.get("code", {}))}
        same = found["Configuration"].get("CodeSha256") == sha256(code["ZipFile"])
    architectures = inputs.get("architectures", ["x86_64"])
    if same and found["Configuration"].get("Architectures", ["x86_64"]) == architectures:
        return
    call.aws("lambda").update_function_code(FunctionName=inputs["name"], Architectures=architectures, **code)
    _settled(call, inputs["name"])


def _settled(call: Call, name: str) -> None:
    """Waits until the function takes the next change (Lambda refuses one while another is in progress)."""
    for waiter in ("function_active_v2", "function_updated_v2"):
        call.aws("lambda").get_waiter(waiter).wait(
            FunctionName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 1200}
        )


def _reserve(call: Call, inputs: Props) -> None:
    """Reserved concurrency; -1 or none takes it away, 0 stops the function (pulumi-aws)."""
    reserved = inputs.get("reservedConcurrentExecutions", -1)
    client = call.aws("lambda")
    if reserved >= 0:
        client.put_function_concurrency(FunctionName=inputs["name"], ReservedConcurrentExecutions=reserved)
    else:
        client.delete_function_concurrency(FunctionName=inputs["name"])


KINDS: tuple[Kind, ...] = (Function(),)

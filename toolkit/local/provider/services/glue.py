"""Glue's data catalogue: databases, and tables over what lies in S3."""

from typing import Any

from botocore.exceptions import ClientError
from typing_extensions import override

from toolkit.local.provider.errors import gone_is_fine, is_gone
from toolkit.local.provider.kind import Call, Kind
from toolkit.local.provider.tags import settle
from toolkit.local.provider.wire import Props


class CatalogDatabase(Kind):
    """A database; the id is `catalogue:name`, and the catalogue is the account's."""

    type_name = "aws:glue/catalogDatabase:CatalogDatabase"
    takes = "name!+ description locationUri parameters tags"
    gives = "arn catalogId"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        id_ = f"{call.clients.account}:{inputs['name']}"
        return id_ if _database(call, id_) else None

    @override
    def tags(self, call: Call, id_: str) -> dict[str, str]:
        found: dict[str, str] = call.aws("glue").get_tags(ResourceArn=_database_arn(call, id_))["Tags"]
        return found

    @override
    def create(self, call: Call, inputs: Props) -> str:
        call.aws("glue").create_database(DatabaseInput=_database_given(inputs), Tags=inputs.get("tags", {}))
        return f"{call.clients.account}:{inputs['name']}"

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        found = _database(call, id_)
        if found is None:
            return None
        return {
            "name": found["Name"],
            "description": found.get("Description", ""),
            "locationUri": found.get("LocationUri"),
            "parameters": found.get("Parameters", {}),
            "tags": self.tags(call, id_),
            "arn": _database_arn(call, id_),
            "catalogId": found["CatalogId"],
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        glue, arn = call.aws("glue"), _database_arn(call, id_)
        glue.update_database(Name=inputs["name"], DatabaseInput=_database_given(inputs))
        settle(
            inputs.get("tags", {}),
            self.tags(call, id_),
            lambda tags: glue.tag_resource(ResourceArn=arn, TagsToAdd=tags),
            lambda names: glue.untag_resource(ResourceArn=arn, TagsToRemove=names),
        )

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("glue").delete_database(Name=_last(id_))


class CatalogTable(Kind):
    """A table, which belongs to its database and has no tags; the id is `catalogue:database:name`."""

    type_name = "aws:glue/catalogTable:CatalogTable"
    takes = """
        name!+ databaseName!+ description owner parameters tableType
        partitionKeys[name! type comment]
        storageDescriptor{
            location inputFormat outputFormat compressed columns[name! type comment]
            serDeInfo{name serializationLibrary parameters}
        }
    """
    gives = "arn catalogId"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        id_ = f"{call.clients.account}:{inputs['databaseName']}:{inputs['name']}"
        return id_ if _table(call, id_) else None

    @override
    def create(self, call: Call, inputs: Props) -> str:
        call.aws("glue").create_table(DatabaseName=inputs["databaseName"], TableInput=_table_given(inputs))
        return f"{call.clients.account}:{inputs['databaseName']}:{inputs['name']}"

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        found = _table(call, id_)
        if found is None:
            return None
        at, (catalogue, database, name) = call.clients, id_.split(":")
        return {
            "name": name,
            "databaseName": database,
            "description": found.get("Description", ""),
            "owner": found.get("Owner", ""),
            "parameters": found.get("Parameters", {}),
            "tableType": found.get("TableType"),
            "partitionKeys": _columns_found(found.get("PartitionKeys", [])),
            "storageDescriptor": _storage_found(found.get("StorageDescriptor", {})),
            "arn": f"arn:{at.partition}:glue:{at.region}:{at.account}:table/{database}/{name}",
            "catalogId": catalogue,
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        call.aws("glue").update_table(DatabaseName=inputs["databaseName"], TableInput=_table_given(inputs))

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        _, database, name = id_.split(":")
        with gone_is_fine():
            call.aws("glue").delete_table(DatabaseName=database, Name=name)


_STORAGE = {
    "location": "Location",
    "inputFormat": "InputFormat",
    "outputFormat": "OutputFormat",
    "compressed": "Compressed",
}
_SERDE = {"name": "Name", "serializationLibrary": "SerializationLibrary", "parameters": "Parameters"}
_COLUMN = {"name": "Name", "type": "Type", "comment": "Comment"}


def _last(id_: str) -> str:
    return id_.rsplit(":", 1)[-1]


def _database_arn(call: Call, id_: str) -> str:
    at = call.clients
    return f"arn:{at.partition}:glue:{at.region}:{at.account}:database/{_last(id_)}"


def _database(call: Call, id_: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = call.aws("glue").get_database(Name=_last(id_))["Database"]
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    return found


def _table(call: Call, id_: str) -> dict[str, Any] | None:
    _, database, name = id_.split(":")
    try:
        found: dict[str, Any] = call.aws("glue").get_table(DatabaseName=database, Name=name)["Table"]
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    return found


def _database_given(inputs: Props) -> dict[str, Any]:
    """The database, whole: an update changes only what it names."""
    given = {"Name": inputs["name"], "Description": inputs.get("description", "")}
    given["Parameters"] = inputs.get("parameters", {})
    return {**given, "LocationUri": inputs["locationUri"]} if inputs.get("locationUri") else given


def _table_given(inputs: Props) -> dict[str, Any]:
    """The table, whole. The keys of `parameters` are the user's own, so nothing is capitalised blindly."""
    given: dict[str, Any] = {
        "Name": inputs["name"],
        "Description": inputs.get("description", ""),
        "Parameters": inputs.get("parameters", {}),
        "PartitionKeys": [_theirs(key, _COLUMN) for key in inputs.get("partitionKeys", [])],
    }
    named = {"owner": "Owner", "tableType": "TableType"}
    given |= {theirs: inputs[ours] for ours, theirs in named.items() if inputs.get(ours)}
    if storage := inputs.get("storageDescriptor"):
        given["StorageDescriptor"] = {
            **_theirs(storage, _STORAGE),
            "Columns": [_theirs(column, _COLUMN) for column in storage.get("columns", [])],
            **({"SerdeInfo": _theirs(storage["serDeInfo"], _SERDE)} if "serDeInfo" in storage else {}),
        }
    return given


def _storage_found(live: dict[str, Any]) -> Props:
    found = {**_ours(live, _STORAGE), "columns": _columns_found(live.get("Columns", []))}
    return {**found, "serDeInfo": _ours(live["SerdeInfo"], _SERDE)} if "SerdeInfo" in live else found


def _columns_found(live: list[dict[str, Any]]) -> list[Props]:
    return [_ours(column, _COLUMN) for column in live]


def _theirs(block: Props, names: dict[str, str]) -> dict[str, Any]:
    return {theirs: block[ours] for ours, theirs in names.items() if ours in block}


def _ours(block: dict[str, Any], names: dict[str, str]) -> Props:
    return {ours: block[theirs] for ours, theirs in names.items() if theirs in block}


KINDS: tuple[Kind, ...] = (CatalogDatabase(), CatalogTable())

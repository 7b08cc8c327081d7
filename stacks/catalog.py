"""The audit records as a table, for who outgrows one machine: Athena reads them where they lie."""

from __future__ import annotations  # a type of pulumi_aws in a signature must not load its service

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from stacks import names
from toolkit.contracts import PlatformConfig

TABLE = "records"

_ATTRIBUTE = (
    "struct<key:string,value:struct<stringvalue:string,intvalue:string,doublevalue:double,boolvalue:boolean>>"
)
_SPAN = (
    "struct<traceid:string,spanid:string,parentspanid:string,name:string,kind:int,"
    "starttimeunixnano:string,endtimeunixnano:string,"
    f"attributes:array<{_ATTRIBUTE}>,status:struct<code:int,message:string>>"
)
_SCOPE_SPANS = f"struct<scope:struct<name:string,version:string>,spans:array<{_SPAN}>>"

COLUMNS = {
    "v": "int",
    "run_id": "string",
    "seq": "int",
    "prev": "string",
    "last": "boolean",
    "resourcespans": (
        f"array<struct<resource:struct<attributes:array<{_ATTRIBUTE}>>,scopespans:array<{_SCOPE_SPANS}>>>"
    ),
    "contents": "map<string,string>",
}
"""A record's fields (`toolkit.telemetry.record`), in lower case: so the SerDe reads keys, also inner ones.

https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html (case.insensitive, on by default)
"""

PARTITIONS = ("year", "month", "day")

# Athena works the partitions out and asks no catalogue. A date in three parts cannot be of the type date, so
# there is no NOW, and the last year is a number; `digits` gives the leading zeros of Firehose's prefix.
# https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
# https://docs.aws.amazon.com/athena/latest/ug/partition-projection-kinesis-firehose-example-choosing-partition-keys.html
PROJECTION = {
    "projection.enabled": "true",
    "projection.year.type": "integer",
    "projection.year.range": "2025,2049",
    "projection.year.digits": "4",
    "projection.month.type": "integer",
    "projection.month.range": "1,12",
    "projection.month.digits": "2",
    "projection.day.type": "integer",
    "projection.day.range": "1,31",
    "projection.day.digits": "2",
}


@dataclass(frozen=True)
class CatalogArgs:
    """What the table is made from; `parent` is the component that it belongs to."""

    config: PlatformConfig
    audit_bucket: pulumi.Output[str]
    parent: pulumi.Resource


def records_table(args: CatalogArgs) -> aws.glue.CatalogTable:
    """The table of what Firehose delivered, in a database of the platform's own.

    What the agent had to put under `fallback/` itself is not in it: that lies outside the days.
    """
    opts = pulumi.ResourceOptions(parent=args.parent)
    database = aws.glue.CatalogDatabase(
        "audit-database",
        name=names.database_name(args.config),
        description=f"What the tfkit platform {args.config.stack} recorded",
        tags=args.config.all_tags,
        opts=opts,
    )
    return aws.glue.CatalogTable(
        "audit-table",
        name=TABLE,
        database_name=database.name,
        description="A line for each batch of spans; v, run_id, seq, prev and last make the chain",
        table_type="EXTERNAL_TABLE",
        parameters=args.audit_bucket.apply(table_parameters),
        partition_keys=[aws.glue.CatalogTablePartitionKeyArgs(name=name, type="int") for name in PARTITIONS],
        storage_descriptor=aws.glue.CatalogTableStorageDescriptorArgs(
            location=args.audit_bucket.apply(lambda bucket: f"s3://{bucket}/"),
            input_format="org.apache.hadoop.mapred.TextInputFormat",
            output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            columns=[
                aws.glue.CatalogTableStorageDescriptorColumnArgs(name=name, type=kind)
                for name, kind in COLUMNS.items()
            ],
            ser_de_info=aws.glue.CatalogTableStorageDescriptorSerDeInfoArgs(
                serialization_library="org.openx.data.jsonserde.JsonSerDe",
                # A line that cannot be read must be an error, not a line less.
                parameters={"ignore.malformed.json": "false"},
            ),
        ),
        opts=opts,
    )


def table_parameters(bucket: str) -> dict[str, str]:
    """The projection, and where a day lies: just as `stacks.audit.DAY_PREFIX` has it."""
    template = f"s3://{bucket}/year=${{year}}/month=${{month}}/day=${{day}}/"
    return {
        **PROJECTION,
        "EXTERNAL": "TRUE",
        "classification": "json",
        "storage.location.template": template,
    }

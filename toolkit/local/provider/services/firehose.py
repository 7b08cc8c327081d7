"""Firehose delivery streams into S3."""

from typing import Any

from botocore.exceptions import ClientError
from typing_extensions import override

from toolkit.local.provider.errors import gone_is_fine, is_gone, there
from toolkit.local.provider.kind import Call, Kind
from toolkit.local.provider.tags import from_list, settle, to_list
from toolkit.local.provider.wire import Props


class FirehoseDeliveryStream(Kind):
    """A delivery stream to S3; the id is its ARN."""

    type_name = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"
    takes = """
        name!+ destination!+ tags serverSideEncryption{enabled keyType keyArn}
        extendedS3Configuration!{
            roleArn! bucketArn! prefix errorOutputPrefix bufferingInterval bufferingSize compressionFormat
            customTimeZone kmsKeyArn cloudwatchLoggingOptions{enabled logGroupName logStreamName}
        }
    """
    gives = "arn destinationId versionId"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        found = _described(call, inputs["name"])
        return str(found["DeliveryStreamARN"]) if found else None

    @override
    def tags(self, call: Call, id_: str) -> dict[str, str]:
        answer = call.aws("firehose").list_tags_for_delivery_stream(DeliveryStreamName=_name(id_))
        return from_list(answer["Tags"])

    @override
    def create(self, call: Call, inputs: Props) -> str:
        tags = to_list(inputs.get("tags", {}))
        sse = _encryption(inputs)
        made = call.aws("firehose").create_delivery_stream(
            DeliveryStreamName=inputs["name"],
            DeliveryStreamType="DirectPut",
            ExtendedS3DestinationConfiguration=_destination(inputs["extendedS3Configuration"]),
            **({"Tags": tags} if tags else {}),
            **({"DeliveryStreamEncryptionConfigurationInput": sse} if sse else {}),
        )
        return str(made["DeliveryStreamARN"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        stream = _described(call, _name(id_))
        if stream is None:
            return None
        destination = stream["Destinations"][0]
        sse = stream.get("DeliveryStreamEncryptionConfiguration", {})
        encryption = {"enabled": sse.get("Status") in ("ENABLED", "ENABLING")}
        named = {"keyType": sse.get("KeyType"), "keyArn": sse.get("KeyARN")}
        return {
            "name": _name(id_),
            "destination": "extended_s3",
            "extendedS3Configuration": _found(
                destination["ExtendedS3DestinationDescription"], props.get("extendedS3Configuration", {})
            ),
            "serverSideEncryption": {**encryption, **{k: v for k, v in named.items() if v}},
            "tags": self.tags(call, id_),
            "arn": id_,
            "destinationId": destination["DestinationId"],
            "versionId": stream["VersionId"],
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        firehose, name = call.aws("firehose"), _name(id_)
        stream = there(_described(call, name))
        firehose.update_destination(
            DeliveryStreamName=name,
            CurrentDeliveryStreamVersionId=stream["VersionId"],
            DestinationId=stream["Destinations"][0]["DestinationId"],
            ExtendedS3DestinationUpdate=_destination(inputs["extendedS3Configuration"]),
        )
        if sse := _encryption(inputs):
            firehose.start_delivery_stream_encryption(
                DeliveryStreamName=name, DeliveryStreamEncryptionConfigurationInput=sse
            )
        elif stream.get("DeliveryStreamEncryptionConfiguration", {}).get("Status") == "ENABLED":
            firehose.stop_delivery_stream_encryption(DeliveryStreamName=name)
        settle(
            inputs.get("tags", {}),
            self.tags(call, id_),
            lambda tags: firehose.tag_delivery_stream(DeliveryStreamName=name, Tags=to_list(tags)),
            lambda names: firehose.untag_delivery_stream(DeliveryStreamName=name, TagKeys=names),
        )

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("firehose").delete_delivery_stream(DeliveryStreamName=_name(id_), AllowForceDelete=True)


_SAME = {
    "roleArn": "RoleARN",
    "bucketArn": "BucketARN",
    "prefix": "Prefix",
    "errorOutputPrefix": "ErrorOutputPrefix",
    "compressionFormat": "CompressionFormat",
    "customTimeZone": "CustomTimeZone",
}
"""The properties of the destination that Firehose has one to one."""


def _name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _described(call: Call, name: str) -> dict[str, Any] | None:
    try:
        answer = call.aws("firehose").describe_delivery_stream(DeliveryStreamName=name)
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    found: dict[str, Any] = answer["DeliveryStreamDescription"]
    return found


def _destination(asked: Props) -> dict[str, Any]:
    """The destination, whole: an update changes only what it names, so what is not asked for is named too."""
    given: dict[str, Any] = {theirs: asked[ours] for ours, theirs in _SAME.items() if ours in asked}
    given["CompressionFormat"] = asked.get("compressionFormat", "UNCOMPRESSED")
    given["BufferingHints"] = {
        "SizeInMBs": asked.get("bufferingSize", 5),
        "IntervalInSeconds": asked.get("bufferingInterval", 300),
    }
    key = asked.get("kmsKeyArn")
    given["EncryptionConfiguration"] = (
        {"KMSEncryptionConfig": {"AWSKMSKeyARN": key}} if key else {"NoEncryptionConfig": "NoEncryption"}
    )
    logging = asked.get("cloudwatchLoggingOptions", {})
    given["CloudWatchLoggingOptions"] = {
        "Enabled": bool(logging.get("enabled")),
        **({"LogGroupName": logging["logGroupName"]} if "logGroupName" in logging else {}),
        **({"LogStreamName": logging["logStreamName"]} if "logStreamName" in logging else {}),
    }
    return given


def _found(live: dict[str, Any], asked: Props) -> Props:
    found: Props = {ours: live[theirs] for ours, theirs in _SAME.items() if theirs in live}
    if "customTimeZone" in asked:  # the emulator obeys it and does not report it
        found.setdefault("customTimeZone", asked["customTimeZone"])
    hints = live.get("BufferingHints", {})
    found["bufferingSize"] = hints.get("SizeInMBs")
    found["bufferingInterval"] = hints.get("IntervalInSeconds")
    key = live.get("EncryptionConfiguration", {}).get("KMSEncryptionConfig", {}).get("AWSKMSKeyARN")
    if key:
        found["kmsKeyArn"] = key
    logging = live.get("CloudWatchLoggingOptions", {})
    names = {"enabled": "Enabled", "logGroupName": "LogGroupName", "logStreamName": "LogStreamName"}
    found["cloudwatchLoggingOptions"] = {
        ours: logging[theirs] for ours, theirs in names.items() if theirs in logging
    }
    return found


def _encryption(inputs: Props) -> dict[str, str]:
    asked = inputs.get("serverSideEncryption", {})
    if not asked.get("enabled"):
        return {}
    key = {"KeyARN": asked["keyArn"]} if asked.get("keyArn") else {}
    return {"KeyType": asked.get("keyType", "AWS_OWNED_CMK"), **key}


KINDS: tuple[Kind, ...] = (FirehoseDeliveryStream(),)

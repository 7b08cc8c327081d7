"""The look-ups (Pulumi's invokes) that the stacks use."""

from toolkit.local.provider.clients import Clients
from toolkit.local.provider.errors import ProviderError, translated
from toolkit.local.provider.wire import Props


def answer(function: str, clients: Clients) -> Props:
    """The answer to a look-up; raises `ProviderError` for one that is not known."""
    if function == "aws:index/getCallerIdentity:getCallerIdentity":
        with translated(function, ""):
            who = clients.of("sts").get_caller_identity()
        return {"id": who["Account"], "accountId": who["Account"], "arn": who["Arn"], "userId": who["UserId"]}
    if function == "aws:index/getRegion:getRegion":
        # `name` is the old word for `region`, which pulumi-aws v7 still answers with.
        region = clients.region
        described = {"id": region, "name": region, "region": region, "description": region}
        return {**described, "endpoint": f"ec2.{region}.amazonaws.com"}
    if function == "aws:index/getPartition:getPartition":
        partition = clients.partition
        return {
            "id": partition,
            "partition": partition,
            "dnsSuffix": "amazonaws.com",
            "reverseDnsPrefix": "com.amazonaws",
        }
    raise ProviderError(f"tfkit's provider for the emulator does not know the look-up {function}")

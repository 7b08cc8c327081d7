"""The provider as a process of its own, for the Pulumi CLI: `python -m toolkit.local.provider.serve`.

The CLI's contract (Pulumi, "Implement a provider"): print the port on stdout, and nothing else there,
then serve gRPC on 127.0.0.1 until killed. The CLI puts its plugins into process groups of their own, so a
kill -9 of the CLI, or of its whole group, does not reach them: this one ends by itself then, as Pulumi's own
do (`rpcutil.Healthcheck` in pulumi/sdk/go/common).
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from toolkit.errors import UsageError
from toolkit.local.provider.servicer import EmulatorProvider

ENDPOINT = "TFKIT_EMULATOR_ENDPOINT"
REGION = "AWS_REGION"
KEY, SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
MESSAGE_LIMIT = 400 * 1024 * 1024
"""Pulumi's own limit for a message (its `rpcutil`): a function's archive travels inside one."""

LOOK_SECONDS = 2.0
"""How often it is seen to that whoever started this is still there."""


def server(provider: EmulatorProvider) -> tuple[grpc.Server, int]:
    """A started gRPC server for the provider on a free port of 127.0.0.1, and that port."""
    limits = [
        ("grpc.max_receive_message_length", MESSAGE_LIMIT),
        ("grpc.max_send_message_length", MESSAGE_LIMIT),
    ]
    made = grpc.server(ThreadPoolExecutor(max_workers=16), options=limits)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, made)
    port = made.add_insecure_port("127.0.0.1:0")
    made.start()
    return made, port


def main() -> None:
    """Serves until killed, or until the process that started it is gone.

    Raises `UsageError` without the emulator's endpoint in TFKIT_EMULATOR_ENDPOINT and its root key in the
    variables that AWS tools read it from.
    """
    engine = os.getppid()
    for name in (ENDPOINT, KEY, SECRET):
        if not os.environ.get(name):
            raise UsageError(f"{name} is not set", "this program is started by `tfkit --engine pulumi`")
    region = os.environ.get(REGION) or "us-east-1"
    provider = EmulatorProvider(os.environ[ENDPOINT], region, os.environ[KEY], os.environ[SECRET])
    running, port = server(provider)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while running.wait_for_termination(timeout=LOOK_SECONDS):  # true: the time is over, and it serves
        if os.getppid() != engine:
            running.stop(grace=None)


if __name__ == "__main__":
    main()

"""The provider as a process of its own, for the Pulumi CLI: `python -m toolkit.local.provider.serve`.

The CLI's contract (Pulumi, "Implement a provider"): print the port on stdout, and nothing else there,
then serve gRPC on 127.0.0.1 until killed.
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
MESSAGE_LIMIT = 400 * 1024 * 1024
"""Pulumi's own limit for a message (its `rpcutil`): a function's archive travels inside one."""


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
    """Serves until killed; raises `UsageError` without the emulator's endpoint in TFKIT_EMULATOR_ENDPOINT."""
    endpoint = os.environ.get(ENDPOINT, "")
    if not endpoint:
        raise UsageError(f"{ENDPOINT} is not set", "this program is started by `tfkit --engine pulumi`")
    running, port = server(EmulatorProvider(endpoint, os.environ.get(REGION) or "us-east-1"))
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    running.wait_for_termination()


if __name__ == "__main__":
    main()

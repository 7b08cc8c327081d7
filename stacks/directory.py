"""What the platform exports, for Pulumi and for whoever uses the platform without it.

The same document is the stack's outputs and a parameter of the account: to ask the agent takes the right to
read that parameter, and neither Pulumi nor its state.
"""

from __future__ import annotations  # a type of pulumi_aws in a signature must not load its service

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from stacks import names
from toolkit.contracts import PlatformConfig


def publish(config: PlatformConfig, outputs: Mapping[str, Any]) -> None:
    """Export the outputs (`contracts.StackOutputs`), and put them into the platform's parameter.

    A parameter holds 4 KB: https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
    """
    for name, value in outputs.items():
        pulumi.export(name, value)
    aws.ssm.Parameter(
        "directory",
        name=names.directory_parameter(config),
        description="Where the parts of the tfkit platform are, for its clients",
        type="String",
        value=pulumi.Output.from_input(dict(outputs)).apply(
            lambda known: json.dumps(known, separators=(",", ":"), sort_keys=True)
        ),
        tags=config.all_tags,
    )

"""What the agent may do for its metrics and its OTLP export, and nothing more."""

import json

import pytest
from stacks_world import ACCOUNT, REGION, make_config

from stacks.agent_policy import agent_policy

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/ours"
SIGNING = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/signing"


def sids(config):
    return {each["Sid"]: each for each in json.loads(agent_policy(config, KEY, SIGNING))["Statement"]}


def test_only_on_the_emulator_the_agent_puts_metrics_itself():
    local, aws = sids(make_config()), sids(make_config(agent_zip={}))
    assert local["PutTheMetricsOfRuns"]["Condition"] == {
        "StringEqualsIfExists": {"cloudwatch:namespace": "tfkit/tfkit-dev"}
    }
    assert "PutTheMetricsOfRuns" not in aws


@pytest.mark.parametrize(
    ("place", "action", "arn", "context"),
    [
        (
            "/tools/otlp",
            "ssm:GetParameter",
            f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/tools/otlp",
            "PARAMETER_ARN",
        ),
        (
            f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:otlp-AbCdEf",
            "secretsmanager:GetSecretValue",
            f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:otlp-AbCdEf",
            "SecretARN",
        ),
    ],
)
def test_the_headers_for_otlp_are_read_from_one_place_alone(place, action, arn, context):
    found = sids(make_config(otlp_headers_parameter=place))
    assert found["ReadTheHeadersForOtlp"]["Action"] == [action]
    assert found["ReadTheHeadersForOtlp"]["Resource"] == [arn]
    condition = found["DecryptTheseHeadersThroughTheirService"]["Condition"]["StringEquals"]
    assert condition[f"kms:EncryptionContext:{context}"] == arn
    assert "ReadTheHeadersForOtlp" not in sids(make_config())

"""AWS as the checks see it: real boto3 clients, whose answers a test gives and botocore's model validates."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import BotoCoreError
from botocore.validate import validate_parameters

from toolkit.cloud import Cloud

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/tfkit-dev-agent"
CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/me"


class Refused(Exception):
    """An error that a service answers with."""

    def __init__(self, code: str, message: str = "no") -> None:
        super().__init__(code)
        self.body = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}


Answer = dict[str, Any] | Refused | BotoCoreError | Callable[[Cloud], Any]


class Aws:
    """Operation → answer; a callable is asked with the cloud that called. Every call is kept."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {"GetCallerIdentity": identity()}
        self.calls: list[tuple[str, str, dict[str, Any]]] = []

    def called(self, operation: str) -> list[dict[str, Any]]:
        return [params for _, name, params in self.calls if name == operation]

    def attach(self, cloud: Cloud, client: Any) -> Any:
        def remember(params: dict[str, Any], model: Any, **_: Any) -> None:
            self.calls.append((cloud.region, model.name, params))

        def answer(model: Any, **_: Any) -> Any:
            found = self.answers[model.name]
            if callable(found):
                found = found(cloud)
            if isinstance(found, BotoCoreError):
                raise found
            if isinstance(found, Refused):
                return AWSResponse("", 400, {}, None), found.body
            validate_parameters(found, model.output_shape)
            return AWSResponse("", 200, {}, None), found

        client.meta.events.register("provide-client-params", remember)
        client.meta.events.register("before-call", answer)
        return client


def identity(arn: str = CALLER) -> dict[str, Any]:
    return {"Account": ACCOUNT, "Arn": arn, "UserId": "AROAEXAMPLE:me"}


def availability(**changes: Any) -> dict[str, Any]:
    """As the user guide shows it, "Manage model access using SDK and CLI"."""
    told = {
        "modelId": "anthropic.claude-haiku-4-5-20251001-v1:0",
        "agreementAvailability": {"status": "AVAILABLE"},
        "authorizationStatus": "AUTHORIZED",
        "entitlementAvailability": "AVAILABLE",
        "regionAvailability": "AVAILABLE",
    }
    return told | changes


def said(text: str, stop: str = "max_tokens") -> dict[str, Any]:
    """An answer of Converse."""
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": text}] if text else []}},
        "stopReason": stop,
        "usage": {"inputTokens": 9, "outputTokens": 1, "totalTokens": 10},
        "metrics": {"latencyMs": 300},
    }


def credentials() -> dict[str, Any]:
    """An answer of AssumeRole."""
    keys = {"AccessKeyId": "ASIAEXAMPLEEXAMPLE00", "SecretAccessKey": "secret", "SessionToken": "token"}
    return {"Credentials": {**keys, "Expiration": "2030-01-01T00:00:00Z"}}


def quota(name: str, value: float, code: str = "L-12345678", **changes: Any) -> dict[str, Any]:
    return {"QuotaCode": code, "QuotaName": name, "Value": value, "Adjustable": True, **changes}


def attached(monkeypatch: pytest.MonkeyPatch) -> Aws:
    """Every client of every cloud asks these answers; none reaches a network."""
    aws = Aws()
    make = Cloud._make
    monkeypatch.setattr(Cloud, "_make", lambda self, service: aws.attach(self, make(self, service)))
    return aws


def cloud(**changes: str) -> Cloud:
    return Cloud(**{"target": "aws", "region": "us-east-1", "account": ACCOUNT, **changes})

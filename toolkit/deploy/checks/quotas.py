"""The quotas that a platform meets: Lambda's concurrency and memory, Bedrock's rates, buckets.

New accounts start far below the documented defaults, and AWS raises them with use:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
Not every quota is told: where Service Quotas is silent a check says so and passes.
"""

import re
from typing import Any

import msgspec

from toolkit.cloud import Cloud
from toolkit.contracts import ModelEntry, PlatformConfig, Registry
from toolkit.deploy.checks.account import ALWAYS_ON, always_on
from toolkit.deploy.checks.check import Check
from toolkit.deploy.checks.model_ids import base_id, geography
from toolkit.deploy.checks.refusals import AWS_ERRORS, explain

CONCURRENCY = "L-B99A9384"
"""Lambda, "Concurrent executions"."""

FEW_EXECUTIONS = 10
MANY_EXECUTIONS = 1000

BUCKETS = "L-DC2B2D3D"
"""S3, general purpose buckets of an account: one quota for all regions, kept in the partition's first.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/BucketRestrictions.html"""

BUCKETS_BY_DEFAULT = 10_000
BUCKETS_OF_A_PLATFORM = 2

FEW_REQUESTS = 10
WANTED_A_MINUTE = {"requests": 50, "tokens": 200_000}
"""What is asked for where a rate of Bedrock is zero: enough for a few runs at once."""

UNTOLD = "Service Quotas does not tell it for this account"


def lambda_concurrency(cloud: Cloud) -> Check:
    """Whether several runs, each with its checker, can be under way at once; few is a warning."""
    try:
        limits = cloud.client("lambda").get_account_settings()["AccountLimit"]
    except AWS_ERRORS as error:
        return _untold("lambda concurrency", error, cloud)
    number, free = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
    detail = f"{number:,} executions at once, {free:,} of them unreserved"
    fix = "" if free >= FEW_EXECUTIONS else _raise(cloud, "lambda", CONCURRENCY, MANY_EXECUTIONS)
    return Check("lambda concurrency", True, detail, fix)


def lambda_memory(cloud: Cloud) -> Check:
    """Whether a function may have the memory that the agent asks for."""
    wanted = wanted_memory()
    try:
        quotas = service_quotas(cloud, "lambda")
    except AWS_ERRORS as error:
        return _untold("lambda memory", error, cloud)
    told = [
        quota for quota in quotas if re.search(r"function memory maximum", quota["QuotaName"], re.IGNORECASE)
    ]
    if not told:
        return Check(
            "lambda memory", True, f"the agent asks for {wanted:,} MB, which new accounts may have; {UNTOLD}"
        )
    allowed = int(told[0]["Value"])
    if allowed < wanted:
        return Check(
            "lambda memory",
            False,
            f"a function may have {allowed:,} MB in this account, and the agent asks for {wanted:,} MB",
            "open a case for Lambda's memory: https://console.aws.amazon.com/support/home#/case/create",
        )
    return Check(
        "lambda memory", True, f"the agent asks for {wanted:,} MB of the {allowed:,} MB that are allowed"
    )


def wanted_memory() -> int:
    """The memory of the agent's function, in MB."""
    fields = {field.name: field.default for field in msgspec.structs.fields(PlatformConfig)}
    return int(fields["agent_memory_mb"])


def bedrock_rates(cloud: Cloud, registry: Registry) -> Check:
    """Whether each model may be asked at all; zero a minute is what a new account may have."""
    title = "bedrock quotas"
    try:
        quotas = service_quotas(cloud, "bedrock")
        models = {name: entry for name, entry in registry.models.items() if entry.provider == "bedrock"}
        told = {name: rates_of(cloud, entry, quotas) for name, entry in models.items()}
    except AWS_ERRORS as error:
        return _untold(title, error, cloud)
    none = [quota for rates in told.values() for quota in rates.values() if quota["Value"] <= 0]
    if none:
        said = "; ".join(f"zero: {quota['QuotaName']}" for quota in none)
        return Check(title, False, said, " && ".join(_raise_rate(cloud, quota) for quota in none))
    few = [r["requests"] for r in told.values() if "requests" in r and r["requests"]["Value"] < FEW_REQUESTS]
    detail = "; ".join(f"{name}: {_rates(rates)}" for name, rates in told.items())
    return Check(title, True, detail, " && ".join(_raise_rate(cloud, quota) for quota in few))


def _rates(rates: dict[str, dict[str, Any]]) -> str:
    return ", ".join(f"{quota['Value']:,.0f} {kind} a minute" for kind, quota in rates.items()) or UNTOLD


def rates_of(cloud: Cloud, entry: ModelEntry, quotas: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The quotas of a model by kind (requests, tokens), as far as their names can be told.

    They are called "Cross-region model inference requests per minute for Anthropic Claude Haiku 4.5", with
    "On-demand" for a model of one region and "Global cross-region" for a global profile; some end in " V1".
    """
    details = cloud.client("bedrock").get_foundation_model(modelIdentifier=base_id(entry.id))["modelDetails"]
    model = f"{details.get('providerName', '')} {details.get('modelName', '')}".strip()
    kind = {"": "On-demand", "global": "Global cross-region"}.get(geography(entry.id), "Cross-region")
    name = re.compile(
        rf"{kind} model inference (requests|tokens) per minute for {re.escape(model)}(?: V\d+)?",
        re.IGNORECASE,
    )
    found = [(name.fullmatch(quota["QuotaName"]), quota) for quota in quotas]
    return {match[1].lower(): quota for match, quota in found if match}


def s3_buckets(cloud: Cloud, *, deployed: bool) -> Check:
    """Whether the account may have the buckets of a platform on top of its own."""
    title = "s3 buckets"
    try:
        pages = cloud.client("s3").get_paginator("list_buckets").paginate()
        there = sum(len(page.get("Buckets", [])) for page in pages)
    except AWS_ERRORS as error:
        return _untold(title, error, cloud)
    allowed = _buckets_allowed(cloud)
    needed = 0 if deployed else BUCKETS_OF_A_PLATFORM
    if there + needed > allowed:
        home = ALWAYS_ON.get(cloud.partition, cloud.region)
        fix = _raise(cloud, "s3", BUCKETS, allowed * 2, region=home)
        return Check(title, False, f"{there:,} of {allowed:,} are used, and {needed} more are needed", fix)
    return Check(title, True, f"{there:,} of {allowed:,} are used")


def _buckets_allowed(cloud: Cloud) -> int:
    try:
        client = always_on(cloud).client("service-quotas")
        return int(client.get_service_quota(ServiceCode="s3", QuotaCode=BUCKETS)["Quota"]["Value"])
    except AWS_ERRORS:  # the default is as much as can be known then
        return BUCKETS_BY_DEFAULT


def service_quotas(cloud: Cloud, service: str) -> list[dict[str, Any]]:
    """Every quota of a service in this account and region, with the values that apply to it."""
    pages = cloud.client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode=service)
    return [quota for page in pages for quota in page.get("Quotas", []) if "Value" in quota]


def _untold(title: str, error: Exception, cloud: Cloud) -> Check:
    """A quota that cannot be looked at stops nobody; what keeps it from being seen is a warning."""
    refusal = explain(error, cloud)
    return Check(title, True, f"cannot be looked at: {refusal.detail}", refusal.fix)


def _raise_rate(cloud: Cloud, quota: dict[str, Any]) -> str:
    if not quota.get("Adjustable", False):
        return "open a case for it: https://console.aws.amazon.com/support/home#/case/create"
    kind = "tokens" if " tokens " in quota["QuotaName"] else "requests"
    return _raise(cloud, "bedrock", quota["QuotaCode"], WANTED_A_MINUTE[kind])


def _raise(cloud: Cloud, service: str, code: str, value: int, region: str = "") -> str:
    profile = f" --profile {cloud.profile}" if cloud.profile else ""
    return (
        f"aws service-quotas request-service-quota-increase --service-code {service} --quota-code {code}"
        f" --desired-value {value} --region {region or cloud.region}{profile}"
    )

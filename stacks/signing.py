"""Keys that sign, each with the one role that may: for the digests, and for the statements of runs."""

from __future__ import annotations  # a type of pulumi_aws in a signature must not load its service

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from stacks import names
from stacks.foundation import KEY_DELETION_DAYS
from stacks.policies import Statement, document
from toolkit.contracts import PlatformConfig


@dataclass(frozen=True)
class Signer:
    """A key by its logical name: what it signs, which role signs with it, and the Sid that says so."""

    key: str
    signs: str
    role: str
    sid: str


DIGESTS = Signer(
    "digest-key", "the digests of the audit records", names.DIGEST_ROLE, "NobodySignsButTheDigest"
)
STATEMENTS = Signer(
    "statement-key", "what runs that are ok claim", names.AGENT_ROLE, "NobodySignsButTheAgent"
)


def signing_key(config: PlatformConfig, signer: Signer, opts: pulumi.ResourceOptions) -> aws.kms.Key:
    """https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html"""
    return aws.kms.Key(
        signer.key,
        description=f"tfkit platform {config.stack}: signs {signer.signs}",
        key_usage="SIGN_VERIFY",
        customer_master_key_spec="ECC_NIST_P256",
        deletion_window_in_days=KEY_DELETION_DAYS,
        policy=signing_key_policy(config, signer),
        tags=names.named_tags(config, signer.key),
        opts=opts,
    )


def signing_key_policy(config: PlatformConfig, signer: Signer) -> str:
    """The account decides who manages the key, and the signer's role alone signs with it.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    """
    return document(
        Statement(
            sid="TheAccountDecidesByIam",
            principals={"AWS": names.account_root(config)},
            actions=["kms:*"],
            resources=["*"],
        ),
        Statement(
            sid=signer.sid,
            effect="Deny",
            principals={"AWS": "*"},
            actions=["kms:CreateGrant", "kms:Sign"],
            resources=["*"],
            condition={"ArnNotLike": {"aws:PrincipalArn": _the_role(config, signer.role)}},
        ),
    )


def _the_role(config: PlatformConfig, kind: str) -> list[str]:
    """The role, as AWS names whoever has assumed it, and as the emulator does: by the session.

    Of one name there is one role in an account, so the second lets nobody else in.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
    """
    role = names.iam_name(config, kind)
    session = f"arn:{config.partition}:sts::{config.account}:assumed-role/{role}/*"
    return [names.role_arn(config, kind), session]

"""The lists behind `refusals`: which texts speak of the rehearsal itself, and which errors AWS gives as well.

An entry is here because it was read in MiniStack's source, in the service named beside it, as a check of the
value that was sent, and because the page of that operation in AWS's API reference has the same rule.
"""

import re


def _any(*patterns: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile("|".join(patterns), flags)


SURROUNDINGS = _any(
    # The network, and time.
    r"no such host|dial tcp|TLS handshake|i/o timeout|connection (?:refused|reset)|broken pipe|\bEOF\b",
    r"context (?:deadline exceeded|canceled)|timed out|timeout while|exceeded maximum number of attempts",
    # Answers that the provider cannot use, and plugins that died.
    r"retry quota exceeded|unexpected state|deserialization failed|failed to decode",
    r"Provider returned invalid|produced (?:an )?(?:inconsistent|unexpected|invalid)|rpc error",
    r"Request cancell?ed|plugin(?:'s)? (?:crashed|did not)|Failed to (?:load|instantiate|obtain|read any)",
    # What is in an account, and who may see it.
    r"couldn't find resource|empty result|no matching|returned no results|non-existent remote object",
    r"no valid credential|failed to (?:refresh cached|get shared config)|security token|InvalidClientTokenId",
    r"Cannot assume|retrieving (?:AWS )?(?:account|caller identity)|account ID not allowed",
    # Files that a build makes: the tree may be complete without them.
    r"Unable to read|no such file|no file exists|unable to load|could not (?:open|read|archive)",
    # Terraform's own preparations.
    r"Required plugins|Missing required provider|Module not installed|Inconsistent dependency",
    r"Backend (?:initialization|configuration)|state lock|No value for required variable",
    r"requires explicit configuration|Unsupported Terraform Core version",
    r"provisioner error|Instance cannot be destroyed",
    flags=re.IGNORECASE,
)
"""Errors of the rehearsal's network, account, files and preparations."""

CORE = _any(
    r"(?:Invalid|Unsupported|Missing|Duplicate|Incorrect|Inconsistent|Unknown) ",
    r"Error in function call|Call to |Reference to |Self-referential|Cycle\b|Division by zero",
    r"Iteration over |Operation failed|Resource (?:pre|post)condition failed|Module output value pre",
)
"""How the summaries of terraform's evaluator begin."""

UNKNOWN_COUNT = _any(r"cannot be determined until apply", r"cannot predict how many instances")
"""Unknown values, not wrong ones."""

CONFIGURED = _any(r"^invalid AWS Region")
"""Refusals of a provider's own block that depend on nothing but the block."""

CHECKED = _any(r"^(?:aws|archive|cloudinit|null|random|time|tls)_")
"""Types whose providers check arguments at plan without asking anybody; Kubernetes would ask its cluster."""

LATE_PROVIDER = _any(r"^validating S3 Bucket \(.*\) name:", r"^invalid (?:queue|topic) name: ")
"""Checks of names that the provider makes only when it creates."""

DUPLICATE = _any(
    r"AlreadyExists|Duplicate|AlreadyOwnedByYou|QueueNameExists",
    r"^ResourceExistsException$|^ResourceInUseException$|^ResourceConflictException$",
)
"""Codes for a name that is taken; DynamoDB and Kinesis say "in use", Lambda "conflict"."""

EMULATORS_OWN = _any(
    # A member that AWS makes up itself; an enumeration that is older than AWS's.
    r"\brequired\b|must not be null|enum value set",
    r"[Uu]nknown|[Uu]nsupported|not supported|not found|does not exist",
)
"""Texts that are never taken for AWS's own, whatever the code."""

_CONSTRAINT = r"failed to satisfy (?:the )?constraint: Member must (?:have (?:length|value)|satisfy regular)"

VALUES = tuple(
    (re.compile(code), re.compile(text))
    for code, text in (
        # dynamodb, eventbridge, kms, scheduler, iam, logs: lengths, ranges and patterns of members.
        (r"ValidationException|ValidationError|InvalidParameter(?:Value)?(?:Exception)?", _CONSTRAINT),
        # dynamodb, CreateTable: key schemas, indexes and capacities that do not fit together.
        (r"ValidationException", r"One or more parameter values were invalid|Invalid KeySchema"),
        (r"ValidationException", r"TableName must be|No provisioned throughput"),
        # eventbridge, PutRule; the patterns in the words of AWS's Event Ruler.
        (r"ValidationException", r"Parameter ScheduleExpression is not valid"),
        (r"InvalidEventPatternException", r"must be an object or an array|is not an object|Empty objects"),
        # kinesis, …StreamRetentionPeriod; kms, ScheduleKeyDeletion.
        (r"ValidationException|InvalidArgumentException", r"RetentionPeriodHours cannot"),
        (r"ValidationException", r"PendingWindowInDays must be between"),
        # s3, CreateBucket, PutBucketLifecycleConfiguration, PutObjectLockConfiguration.
        (r"InvalidBucketName", r""),
        (r"InvalidArgument|InvalidRequest", r"must be a positive integer"),
        (r"InvalidBucketState", r"Versioning must be 'Enabled'"),
        # iam, CreatePolicy, CreateRole, Put…Policy (core/iam_evaluator, validate_policy_document).
        (r"MalformedPolicyDocument", r"must contain an? (?:Action|Resource|Statement) |not valid JSON"),
        (r"MalformedPolicyDocument", r"invalid Effect: (?!None)|cannot have both|NotPrincipal"),
        # sqs, CreateQueue, SetQueueAttributes.
        (r"InvalidAttributeValue|InvalidParameterValue", r"Value must be between|must end with \.fifo"),
        # ec2, CreateVpc.
        (r"InvalidParameterValue", r"Value \(.*\) for parameter cidrBlock is invalid"),
        # ssm, PutParameter: /aws and /ssm are AWS's; logs, PutRetentionPolicy.
        (r"AccessDeniedException|ValidationException", r"reserved parameter name"),
        (r"InvalidParameterException", r"Invalid retentionInDays value"),
    )
)
"""Code (the whole of it) and text (anywhere in the message) of errors about the value that was sent."""

COMPUTED = frozenset(
    {
        "aws_arn",
        "aws_iam_policy_document",
        "aws_partition",
        "aws_region",
        "aws_service",
        "aws_service_principal",
        "template_file",
    }
)
"""Data sources that answer from their arguments and the region alone."""

NAMES = frozenset(
    {
        "alarm_name",
        "bucket",
        "cluster_identifier",
        "dashboard_name",
        "family",
        "function_name",
        "group_name",
        "identifier",
        "key_name",
        "name",
        "stream_name",
        "user_name",
    }
)
"""Arguments that name a resource, so that a second one of the name is refused."""

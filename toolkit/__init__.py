"""tfkit: an agent that writes Terraform in your own AWS account, and the platform around it.

The flow, and where each step lives:

    cli ──▶ deploy ──▶ stacks (Pulumi programs) ──▶ engine ──▶ AWS, or the emulator
     │                                                             │
     └── ask ──▶ client ──▶ [Lambda] agent ──▶ checker: terraform and validators
                                   │
                                   └──▶ telemetry ──▶ Firehose ──▶ S3 (Object Lock) ──▶ traces ──▶ cli

`settings`, `errors`, `contracts` and `tables` (rows and keys of a run) are what all of them share; `cloud` is
the command line's one gateway to AWS; `client` follows a run and `cancelling` ends it from outside;
`statement` is what a run that is `ok` claims, `verifying` holds a folder against it, `dsse` is the envelope
of all that is signed; `emulator` and `local` stand in for AWS when there is no account.
"""

__version__ = "0.1.0"

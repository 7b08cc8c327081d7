"""The local target: everything that stands in for an AWS account.

    control ──starts──▶ daemon ──▶ MiniStack (toolkit.emulator)
                          └──────▶ model server (local.model): the offline composer, or `--llm URL`

    provider: the Pulumi provider that makes the platform's resources in the emulator

There is one daemon for each stack; it holds a lock as long as it lives, which is how others know. The
daemon and all it started are gone after `tfkit down`.
"""

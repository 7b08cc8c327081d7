"""From settings to a running platform.

    settings ──▶ plan (PlatformConfig) ──▶ program (stacks) ──▶ engine ──▶ cloud
                                                                  │
    down: destroy ──▶ receipt, verified by listing again ◀────────┘

`platform` tells the pipeline. `engine` is the interface of both engines; `embedded` with `monitor`,
`steps`, `state` and `wire` is the one that needs nothing but PyPI. A preview and a deployment are the
same program and the same plan; only the steps differ.
"""

"""From settings to a running platform, and back to nothing.

    settings ──▶ Platform ──▶ Target: where ──▶ Engine: how ──▶ program (stacks) ──▶ cloud
                    │           local, aws        embedded, pulumi
                    └── down: teardown (what stays) ──▶ destroy ──▶ receipt, verified by listing again

`platform` tells the pipeline: what is done, in which order, whatever the target. A preview and a deployment
are the same program and the same plan (`plan`); only the steps differ.

- **Where**: `target` is the interface; `local_target` (the emulator), `aws_target` with `aws_identity` (whose
  account), `aws_state` (where the states lie). `remembered` is what the next command need not be told again.
- **How**: `engine` is the interface. `embedded` needs nothing but PyPI: `monitor` hears the program, `steps`
  does what it asks for, with `calls` to the `providers`, `order` for deletions, `state` after each step.
  `automation` with `pulumi_*` is Pulumi's own, through its command line.
- **The image**: `image` with `image_*` builds what the function runs on AWS, inside the program.
- **While it is up**: `brake` stops it, `checks` looks at it, at the account and at this machine, `cost` says
  what it costs idle.
"""

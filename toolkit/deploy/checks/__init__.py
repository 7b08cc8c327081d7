"""What is missing on this machine or in an account, and the command that mends it.

    settings ──▶ examine ──▶ machine    this computer: python, terraform, packages, tools, the kernel
                    │
                    └──▶ Cloud ──▶ account    credentials, account, region
                                   bedrock    is a model agreed to, does it answer you and the agent's role
                                   quotas     Lambda, Bedrock's rates, buckets

A check is one function that returns a `Check` (`check`); `run_checks` runs them side by side, because most
wait for a network. No check starts or changes anything: above all, no third-party model is asked before
somebody has agreed to its terms, because the first call to it is that agreement. `models check` uses
`bedrock` too, and `status` the checks of `deployed`.
"""

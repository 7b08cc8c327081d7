"""The hourly digest: a function of its own, under a role of its own, signs what the audit bucket holds.

    schedule ──▶ handler ──▶ make      what is new in the bucket, which chains have closed, how many runs
                               │ lines   the head of each line: its run, its place, its hash
                               ▼
                             document   the digest and its signed envelope ──▶ audit bucket, `digests/`

Whoever can write a chain can forge one, and that is the agent. It can neither sign nor write a digest; so a
chain that was written anew after its digest no longer fits it. `toolkit.audit` holds one against the other.
"""

"""The agent: what runs inside Lambda.

    handler ──▶ run: take the lease ──▶ converse: model ⇄ tools ──▶ gate: validators on the exact tree
                 │                                                    │ findings: a follow-up turn
                 └── telemetry: every span shipped ◀── store: files, result ◀┘

In reading order: `config` (what the function was told), `workspace` (the files), `chosen` (the validators of
the run), `verdict` (what a report means), `feedback` (findings as a model reads them), `ledger` and
`deadline` (what the run may consume), `deps`, `prompts`, `tools`, `models`, `day_budget` and `metered` (what
all runs of a day may cost), `hooks`, `farewell` and `writer` (the pydantic-ai agent), `window` and `memory`
(what was said in earlier runs of a conversation), `attempts` and `gate` (until the
validators agree), `stating` (what a run that is `ok` signs), `record` and `store` (what outlives the run),
`cancellation` (how somebody else ends it), `ending`, `run`.

The gate is the host's: a run is `ok` only if code, after the model has stopped, finds every required
validator clean on the exact tree that is stored.
"""

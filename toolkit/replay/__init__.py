"""Recorded runs done again, and what came of them beside what came of them then.

    run ids, --since ─▶ recorded.py   the request of each as it was, and its outcome
                     ─▶ runner.py     the same request under a new id, several at once, followed to the end
                     ─▶ compare.py    status, attempts, findings, files, dollars: before → after

A replay is a run like any other: in the record, in the budgets, with a statement of its own. It has the
prompt, the starting files, the attachments and the budgets of the run that it names (`AskRequest.replays`),
and meets the platform as it is now: its validators and their thresholds, its models, its version.
"""

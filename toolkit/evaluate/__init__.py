"""Measured authoring: a set of prompts, what an author made of each, and a judge that needs no AWS account.

    dataset ──▶ author: the deployed agent, the agent here, or the reference answers ──▶ trees, by attempt
                                                                                           │
    report, page, comparison ◀── journal, a line a task ◀── verdicts ◀── judge ◀───────────┘

The judge does as IaC-Eval does (Kon et al., NeurIPS 2024): a program counts if the real provider plans it,
and if the rule of its task holds on that plan. What was written by a model, and what a dataset gives as the
right answer, is hostile alike: both are looked at by `toolkit.checker` only, and rules by an OPA without
network.
"""

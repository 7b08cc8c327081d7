"""The Pulumi program of the platform: five components, a file each, assembled by `program.py`.

    foundation ──▶ models ──▶ audit ──▶ agent ──▶ observability

Each takes the plain `PlatformConfig` and the outputs of the components before it. Every physical
name and nearly every ARN is known from the configuration alone (`names.py`), so that the first
preview is complete; nothing happens on import.
"""

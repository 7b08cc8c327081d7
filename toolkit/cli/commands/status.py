"""`tfkit status`."""

from toolkit.cli.options import command, session


@command()
def status() -> None:
    """Show what runs where."""
    import msgspec

    from toolkit.local import control

    run = session()
    platform = run.platform()
    outputs = platform.outputs()
    running = control.find(platform.folder)
    facts = {
        "target": platform.settings.target,
        "account": platform.account,
        "region": platform.settings.region,
        "stack": platform.settings.stack,
        "version": outputs.version,
        "emulator": running.endpoint if running else "",
        "outputs": msgspec.to_builtins(outputs),
    }
    if run.output.json:
        run.output.document(facts)
        return
    emulator = f"runs at {running.endpoint}" if running else "is stopped; the next command brings it back"
    run.output.say(f"version {outputs.version}; the emulator {emulator}")
    for name, value in msgspec.to_builtins(outputs).items():
        lines = [f"{key}  {arn}" for key, arn in value.items()] if isinstance(value, dict) else [value]
        for line in lines:
            run.output.say(f"  {name:24}{line}")

"""`tfkit models`."""

from toolkit.cli.options import command, session


@command()
def models() -> None:
    """Show the models that the platform knows."""
    from toolkit.cli.listing import render_rows

    run = session()
    registry = run.client().registry()
    if run.output.json:
        run.output.document(registry)
        return
    rows = []
    for name, entry in sorted(registry.models.items()):
        price = f"{entry.price.input} / {entry.price.output}" if entry.price else "as genai-prices has it"
        rows.append((name, "yes" if name == registry.default else "", entry.id, price))
    render_rows(run.output.console(), ("model", "default", "id", "$ per million in / out"), rows)

"""`tfkit models`."""

from toolkit.cli.options import command, session


@command()
def models() -> None:
    """Show the models that the platform knows."""
    from rich.table import Table

    from toolkit.client import Client

    run = session()
    platform = run.platform()
    registry = Client(platform.cloud, platform.outputs()).registry()
    if run.output.json:
        run.output.document(registry)
        return
    table = Table("model", "default", "id", "$ per million in / out", box=None, pad_edge=False)
    for name, entry in sorted(registry.models.items()):
        price = f"{entry.price.input} / {entry.price.output}" if entry.price else "as genai-prices has it"
        table.add_row(name, "yes" if name == registry.default else "", entry.id, price)
    run.output.console().print(table)

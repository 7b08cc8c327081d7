"""`tfkit graph`."""

import click

from toolkit.cli.options import command, session
from toolkit.errors import UsageError

FORMATS = ("mermaid", "dot")
LEVELS = ("components", "resources")


@command()
@click.option("--format", "shape", type=click.Choice(FORMATS), help="The language of the picture (mermaid).")
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    default="resources",
    help="Each resource in its component, or only the components (resources).",
)
def graph(shape: str | None, level: str) -> None:
    """Draw the platform: its components, resources and edges.

    It is what the platform's program says of these settings. Nothing is asked: no cloud, no emulator, no
    credentials. With --target aws it is drawn for the pinned account, else for one that stands for yours. An
    arrow goes from what is made first to what needs it.

    \b
    Examples:
      tfkit graph --level components
      tfkit graph --format dot | dot -Tsvg -o platform.svg
      tfkit graph --target aws --region eu-central-1 --json
    """
    from toolkit.cli.render_graph import dot, mermaid
    from toolkit.deploy.graph import NO_ACCOUNT, completed, platform_graph

    run = session()
    if run.output.json and shape:
        raise UsageError(f"--json and --format {shape} cannot both be", "leave one of them out")
    settings, cloud = completed(run.settings())
    stands_for = " (stands for yours; pin_account names it)" if cloud.account == NO_ACCOUNT else ""
    run.output.note(
        f"drawn for {settings.target}, account {cloud.account}{stands_for}, {settings.region}, "
        f"stack {settings.stack}; nothing was asked"
    )
    whole = platform_graph(settings, cloud)
    shown = whole if level == "resources" else whole.of_components()
    if run.output.json:
        run.output.document({"nodes": shown.nodes, "edges": shown.edges})
    else:
        run.output.code((dot if shape == "dot" else mermaid)(shown, whole))

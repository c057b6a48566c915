"""`vigie journal …`: proof that nobody rewrote what happened."""

import asyncio

import typer

from vigie.commands.engines import engines
from vigie.core import journal
from vigie.core.settings import load

app = typer.Typer(no_args_is_help=True, help="The journal of everything people and rules did.")


@app.command()
def verify() -> None:
    """Check every entry against its seals; name what was edited, deleted, added or dropped."""

    async def work() -> journal.Report:
        settings = load()
        async with engines(settings) as session, session.runtime("verify") as runtime:
            return await journal.verify(runtime.database, settings.root)

    report = asyncio.run(work())
    typer.echo(
        f"{report.entries} acts with {report.changes} changes; {report.sealed} sealed in "
        f"{report.blocks} blocks; {report.erased} personal values erased"
    )
    for finding in report.findings:
        where = finding.entry or (f"block {finding.block}" if finding.block is not None else "")
        at = f"position {finding.position}" if finding.position is not None else ""
        typer.echo("  ".join(filter(None, (finding.code, str(where), at, finding.detail))))
    if not report.whole:
        raise typer.Exit(1)
    typer.echo("whole: nothing was edited, deleted, added or dropped")

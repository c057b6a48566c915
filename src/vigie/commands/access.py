"""`vigie user …`: accounts, from the machine itself."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vigie.commands import first_login
from vigie.commands.engines import Session, engines
from vigie.core.access import admin
from vigie.core.database import Database
from vigie.core.runtime import database_url
from vigie.core.settings import load
from vigie.core.text import visible

T = TypeVar("T")
app = typer.Typer(no_args_is_help=True, help="Accounts of the people who work here.")
Name = Annotated[str, typer.Argument(help="User name.")]


@app.command()
def add(
    username: Name,
    display_name: Annotated[str, typer.Option(help="Name shown to colleagues.")] = "",
    grant: Annotated[
        list[str] | None,
        typer.Option(help="ROLE, ROLE@INSEE or ROLE@INSEE/TRADE; may be given several times."),
    ] = None,
    language: Annotated[str, typer.Option(help="fr or en.")] = "fr",
) -> None:
    """Add an account; its first password is shown once."""
    _tell(
        _with_database(
            lambda database: admin.add_user(database, username, display_name, grant or [], language)
        )
    )


@app.command(name="reset-password")
def reset_password(username: Name) -> None:
    """Give a new first password; every session and API token of the account ends."""
    login = _with_database(lambda database: admin.reset_password(database, username))
    first_login.forget(load().root, username)
    _tell(login)


@app.command()
def disable(username: Name) -> None:
    """Close an account; its sessions and tokens end."""
    _with_database(lambda database: admin.set_active(database, username, False))
    typer.echo(f"{username} is closed")


@app.command()
def enable(username: Name) -> None:
    """Open a closed account again."""
    _with_database(lambda database: admin.set_active(database, username, True))
    typer.echo(f"{username} is open")


@app.command(name="list")
def list_users() -> None:
    """Every account."""
    table = Table("User", "Name", "Grants", "State", box=None, pad_edge=False)
    for user in _with_database(admin.list_users):
        grants = ", ".join(f"{g.role}@{g.municipality}/{g.trade}" for g in user.grants)
        name = escape(visible(user.display_name))
        table.add_row(user.username, name, grants, "open" if user.active else "closed")
    Console().print(table)


def _tell(login: admin.FirstLogin) -> None:
    typer.echo(f"User:      {login.username}")
    typer.echo(f"Password:  {login.password}  (to be changed at login)")


async def _on(session: Session, verb: Callable[[Database], Awaitable[T]]) -> T:
    database = Database(database_url(session.settings), pool=1, application="vigie-command")
    try:
        return await verb(database)
    finally:
        await database.close()


def _with_database(verb: Callable[[Database], Awaitable[T]]) -> T:
    async def work() -> T:
        async with engines(load()) as session:
            return await _on(session, verb)

    return asyncio.run(work())

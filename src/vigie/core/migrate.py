"""Brings the database's shape up to date; refuses one that a newer Vigie made."""

import contextlib
from collections.abc import Generator
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

from vigie.core.database import RUNTIME_ROLE, sqlalchemy_url
from vigie.core.errors import SetupError

_SCRIPTS = Path(__file__).parent.parent / "migrations"
_OLDEST, _NEWEST = 150000, 190000


def migrate(owner_url: str, runtime_login: str) -> str:
    """Run what is missing, as the owner; the revision reached.

    Raises SetupError: the server does not answer or let us in, its version is unfit, the database
    is newer than this Vigie, or the owner may not create or grant the runtime role.
    """
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    scripts = ScriptDirectory.from_config(config)
    head = scripts.get_current_head() or ""
    engine = create_engine(sqlalchemy_url(owner_url), poolclass=NullPool)
    with _reached(engine), engine.begin() as connection:
        version = int(connection.execute(text("show server_version_num")).scalar_one())
        if not _OLDEST <= version < _NEWEST:
            raise SetupError(
                f"PostgreSQL {version // 10000} is not supported: use version 15 to 18."
            )
        connection.execute(text("select pg_advisory_xact_lock(7710419)"))
        connection.execute(text("create schema if not exists core"))
        current = MigrationContext.configure(
            connection, opts={"version_table_schema": "core", "version_table": "revision"}
        ).get_current_revision()
        known = {script.revision for script in scripts.walk_revisions()}
        if current is not None and current not in known:
            raise SetupError(
                f"This database is at revision {current}, which a newer Vigie made: "
                "install that version or a later one."
            )
        if current is None:
            _create_runtime_role(connection, runtime_login)
        if current != head:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            _grant(connection)
    engine.dispose()
    return head


@contextlib.contextmanager
def _reached(engine: Engine) -> Generator[None]:
    try:
        yield
    except OperationalError as error:
        url = engine.url
        said = str(error.orig).strip().splitlines()[0]
        raise SetupError(
            f"The database {url.database} on {url.host}:{url.port or 5432} cannot be used as "
            f"{url.username}: {said}"
        ) from error


def _create_runtime_role(connection: Connection, runtime_login: str) -> None:
    """The role, and the login as its member: what a superuser prepared is left alone."""
    names = {"role": RUNTIME_ROLE, "login": runtime_login}
    exists = connection.execute(
        text("select 1 from pg_roles where rolname = :role"), names
    ).scalar()
    quoted = '"' + runtime_login.replace('"', '""') + '"'
    if exists and connection.execute(
        text("select 1 from pg_auth_members m join pg_roles r on r.oid = m.roleid"
             " join pg_roles l on l.oid = m.member where r.rolname = :role and l.rolname = :login"),
        names,
    ).scalar():  # fmt: skip
        return
    try:
        if not exists:
            connection.execute(text(f"create role {RUNTIME_ROLE} nologin"))
        connection.execute(text(f"grant {RUNTIME_ROLE} to {quoted}"))
    except ProgrammingError as error:
        made = "" if exists else f"create role {RUNTIME_ROLE} nologin; "
        raise SetupError(
            "The database's owner may not create and grant roles: run "
            f"`{made}grant {RUNTIME_ROLE} to {quoted};` once as a superuser."
        ) from error


def _grant(connection: Connection) -> None:
    """Schemas and tables the runtime may use; the journal's own migration narrows its rights."""
    for schema in ("core", "access", "places", "twin", "gateways", "control"):
        connection.execute(text(f"grant usage on schema {schema} to {RUNTIME_ROLE}"))
        connection.execute(
            text(f"grant select, insert, update, delete on all tables in schema {schema} "
                 f"to {RUNTIME_ROLE}")
        )  # fmt: skip
        connection.execute(
            text(f"grant usage on all sequences in schema {schema} to {RUNTIME_ROLE}")
        )
    connection.execute(text(f"revoke all on core.revision from {RUNTIME_ROLE}"))
    connection.execute(text(f"grant select on core.revision to {RUNTIME_ROLE}"))

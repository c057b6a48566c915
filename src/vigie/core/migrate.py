"""Brings the database's shape up to date; refuses one that a newer Vigie made."""

import contextlib
from collections.abc import Generator, Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

from vigie.core.database import PUBLIC_ROLE, RUNTIME_ROLE, sqlalchemy_url
from vigie.core.errors import SetupError
from vigie.core.rooms import Rooms

_SCRIPTS = Path(__file__).parent.parent / "migrations"
_OLDEST, _NEWEST = 150000, 190000


def migrate(owner_url: str, runtime_login: str, rooms: Rooms, public_login: str = "") -> str:
    """Run what is missing, as the owner; the spine's revision reached.

    The spine's history is one line in vigie/migrations; each room built on it has its own, in its
    own folder and with its own table of revisions, and comes after the rooms below it. Rooms that
    are switched off are kept up to date too, and those of plug-ins that are gone are left alone.

    Raises SetupError: the server does not answer or let us in, its version is unfit, the database
    is newer than this Vigie, or the owner may not create or grant the runtime role.
    """
    histories = [_History("", _SCRIPTS / "versions")]
    histories += [_History(room.name, room.folder / "migrations") for room in rooms
                  if room.migrations]  # fmt: skip
    engine = create_engine(sqlalchemy_url(owner_url), poolclass=NullPool)
    with _reached(engine), engine.begin() as connection:
        version = int(connection.execute(text("show server_version_num")).scalar_one())
        if not _OLDEST <= version < _NEWEST:
            raise SetupError(
                f"PostgreSQL {version // 10000} is not supported: use version 15 to 18."
            )
        connection.execute(text("select pg_advisory_xact_lock(7710419)"))
        connection.execute(text("create schema if not exists core"))
        for history in histories:
            history.demand_known(connection)
        wanted = [(PUBLIC_ROLE, public_login or runtime_login)]
        if histories[0].current(connection) is None:
            wanted.append((RUNTIME_ROLE, runtime_login))
        _create_roles(connection, wanted)
        upgraded = [history.upgrade(connection) for history in histories]
        if any(upgraded):
            _grant(connection, rooms)
        _publish(connection, rooms)
    engine.dispose()
    return histories[0].head


class _History:
    """One line of revisions: the spine's, or a room's."""

    def __init__(self, room: str, folder: Path) -> None:
        self.room = room
        self.table = f"revision_{room}" if room else "revision"
        self._config = Config()
        self._config.set_main_option("script_location", str(_SCRIPTS))
        self._config.set_main_option("version_locations", str(folder))
        self._config.set_main_option("path_separator", "newline")
        self._config.attributes["version_table"] = self.table
        self._scripts = ScriptDirectory.from_config(self._config)
        self.head = self._scripts.get_current_head() or ""

    def current(self, connection: Connection) -> str | None:
        """The revision that the database is at."""
        return MigrationContext.configure(
            connection, opts={"version_table_schema": "core", "version_table": self.table}
        ).get_current_revision()

    def demand_known(self, connection: Connection) -> None:
        """Refuse a database that a newer Vigie made."""
        current = self.current(connection)
        if current is not None and current not in {
            script.revision for script in self._scripts.walk_revisions()
        }:
            of_room = f" of room {self.room}" if self.room else ""
            raise SetupError(
                f"This database is at revision {current}{of_room}, which a newer Vigie made: "
                "install that version or a later one."
            )

    def upgrade(self, connection: Connection) -> bool:
        """Run what is missing; True when something was."""
        if self.current(connection) == self.head:
            return False
        self._config.attributes["connection"] = connection
        command.upgrade(self._config, "head")
        return True


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


def _create_roles(connection: Connection, wanted: Sequence[tuple[str, str]]) -> None:
    """Roles, each with a login as its member: what a superuser prepared is left alone. Raises
    SetupError with all that a superuser must run, when the owner may not."""
    missing = [step for role, login in wanted for step in _missing(connection, role, login)]
    try:
        for step in missing:
            connection.execute(text(step))
    except ProgrammingError as error:
        raise SetupError(
            "The database's owner may not create and grant roles: run "
            f"`{'; '.join(missing)};` once as a superuser."
        ) from error


def _missing(connection: Connection, role: str, login: str) -> list[str]:
    """What is to be run so that the role is there and the login its member."""
    names = {"role": role, "login": login}
    quoted = '"' + login.replace('"', '""') + '"'
    grant = f"grant {role} to {quoted}"
    exists = text("select 1 from pg_roles where rolname = :role")
    if not connection.execute(exists, names).scalar():
        return [f"create role {role} nologin", grant]
    member = text(
        "select 1 from pg_auth_members m join pg_roles r on r.oid = m.roleid"
        " join pg_roles l on l.oid = m.member where r.rolname = :role and l.rolname = :login"
    )
    return [] if connection.execute(member, names).scalar() else [grant]


def _grant(connection: Connection, rooms: Rooms) -> None:
    """Schemas and tables the runtime may use; the journal's own migration narrows its rights."""
    for schema in (schema for room in rooms for schema in room.schemas):
        connection.execute(text(f"grant usage on schema {schema} to {RUNTIME_ROLE}"))
        connection.execute(
            text(f"grant select, insert, update, delete on all tables in schema {schema} "
                 f"to {RUNTIME_ROLE}")
        )  # fmt: skip
        connection.execute(
            text(f"grant usage on all sequences in schema {schema} to {RUNTIME_ROLE}")
        )
    for table in (table for room in rooms for table in room.append_only):
        connection.execute(text(f"revoke update, delete, truncate on {table} from {RUNTIME_ROLE}"))
    for table in connection.execute(
        text("select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
             " where n.nspname = 'core' and c.relkind = 'r' and c.relname like 'revision%'")
    ).scalars().all():  # fmt: skip
        connection.execute(text(f"revoke all on core.{table} from {RUNTIME_ROLE}"))
        connection.execute(text(f"grant select on core.{table} to {RUNTIME_ROLE}"))


def _publish(connection: Connection, rooms: Rooms) -> None:
    """What rooms let the public process do to their tables, and nothing that they no longer do."""
    wanted = {
        (table, privilege.strip().upper())
        for room in rooms
        for table, privileges in room.public_tables.items()
        for privilege in privileges.split(",")
    }
    held = {
        (row.name, row.privilege_type)
        for row in connection.execute(
            text("select n.nspname || '.' || c.relname as name, a.privilege_type"
                 " from pg_class c join pg_namespace n on n.oid = c.relnamespace,"
                 " aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee"
                 " where r.rolname = :role"),
            {"role": PUBLIC_ROLE},
        )
    }  # fmt: skip
    for table, privilege in held - wanted:
        connection.execute(text(f"revoke {privilege} on {table} from {PUBLIC_ROLE}"))
    for table, privilege in sorted(wanted - held):
        connection.execute(text(f"grant usage on schema {table.split('.')[0]} to {PUBLIC_ROLE}"))
        connection.execute(text(f"grant {privilege} on {table} to {PUBLIC_ROLE}"))

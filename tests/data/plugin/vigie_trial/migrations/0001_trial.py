"""Its table, under the scope like any other."""

from alembic import op

from vigie.core.database import scope_policy

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        "create schema trial; create table trial.bike (id uuid primary key, colour text not null,"
        " state text not null, version int not null default 1, municipality text not null,"
        " trade text not null)"
    )
    op.execute(scope_policy("trial.bike"))

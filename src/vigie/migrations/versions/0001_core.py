"""The shape of core: who leads what, and under which epoch."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create schema if not exists core;
        create table core.leader (
            name text primary key,
            epoch bigint not null,
            instance text not null,
            since timestamptz not null
        );
        """
    )

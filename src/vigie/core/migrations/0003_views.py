"""Saved views: lists asked in a way that someone named."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        -- Shared with a role (`*`: any) in a municipality (`*`: all); not shared: both null.
        create table core.view (
            id uuid primary key,
            owner uuid not null,
            list text not null,
            title text not null,
            filter text not null,
            sort text not null,
            columns text[] not null,
            role text,
            municipality text,
            created timestamptz not null,
            changed timestamptz not null,
            version int not null default 1,
            check ((role is null) = (municipality is null))
        );
        create index view_owner on core.view (owner, list);
        create index view_shared on core.view (list) where role is not null;
        """
    )

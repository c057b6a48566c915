"""Deferred work and its schedule."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table core.job (
            id uuid primary key,
            name text not null,
            -- Among open jobs of a name a key is there once.
            key text,
            payload jsonb not null,
            state text not null default 'waiting',
            version integer not null default 1,
            -- City time, like every deadline.
            due timestamptz not null,
            -- Machine time: waiting, the pause before the next try; running, the end of the lease.
            held timestamptz,
            attempt smallint not null default 0,
            tries smallint not null,
            runner text not null default '',
            error text not null default '',
            created timestamptz not null,
            created_by uuid,
            request_id text not null,
            started timestamptz,
            ended timestamptz
        ) with (fillfactor = 70);
        create unique index job_key on core.job (name, key)
            where key is not null and state in ('waiting', 'running');
        create index job_due on core.job (name, due) where state = 'waiting';
        create index job_running on core.job (name, held) where state = 'running';
        create index job_dead on core.job (name) where state = 'dead';
        create index job_ended on core.job (ended) where ended is not null;
        create index job_created on core.job (created, id);
        create table core.schedule (
            job text primary key,
            next timestamptz not null,
            last timestamptz
        );
        """
    )

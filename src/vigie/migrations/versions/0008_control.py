"""The shape of control: commands, and what becomes of each of their targets."""

from alembic import op

from vigie.core.database import scope_policy

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create schema if not exists control;

        create table control.command (
            id uuid primary key,
            verb text not null,
            params jsonb not null,
            -- What a reading must show for it to be done: metric to value.
            wanted jsonb not null,
            requested_by uuid,
            requested_at timestamptz not null,
            expires_at timestamptz not null,
            entry uuid not null,
            total int not null,
            counts jsonb not null,
            ended_at timestamptz,
            municipalities text[] not null,
            trades text[] not null,
            pairs text[] not null,
            key text,
            digest bytea not null
        );
        create unique index command_key on control.command
            (coalesce(requested_by, '00000000-0000-0000-0000-000000000000'), key)
            where key is not null;
        create index command_order on control.command (requested_at desc, id desc);
        create index command_open on control.command (expires_at) where ended_at is null;

        -- `watch`: evidence still matters, while it is open and, once timed out, until a later
        -- command or a late answer. An asset is watched for one command at a time.
        -- No foreign key: written in the transaction of its command, which is never deleted, and
        -- 34,000 checks are a fifth of the time that takes.
        create table control.target (
            command uuid not null,
            asset int not null,
            municipality text not null,
            trade text not null,
            state text not null default 'requested',
            watch boolean not null default true,
            -- It may have shown the wanted value before: a reading proves nothing then.
            already boolean not null default false,
            attempts smallint not null default 0,
            next_send timestamptz,
            sent_at timestamptz,
            delivered_at timestamptz,
            ended_at timestamptz,
            error jsonb,
            late jsonb,
            primary key (command, asset)
        ) with (fillfactor = 70);
        create unique index target_watch on control.target (asset) where watch;
        create index target_due on control.target (next_send) where next_send is not null;
        """
    )
    op.execute(scope_policy("control.target"))
    # A command is seen by whoever may see one of its targets.
    setting = "(select coalesce(nullif(current_setting('vigie.{}', true), ''), '{{}}'))::text[]"
    op.execute(
        "alter table control.command enable row level security;"
        "create policy scope on control.command using ("
        " (select current_setting('vigie.scope_all', true)) = 'on'"
        f" or pairs && {setting.format('scope_pairs')}"
        f" or municipalities && {setting.format('scope_municipalities')}"
        f" or trades && {setting.format('scope_trades')})"
    )

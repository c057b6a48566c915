"""People's addresses and preferences, messages to them, call cascades."""

from alembic import op

from vigie.core.database import scope_policy

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create schema notify;
        create table notify.contact (
            id uuid primary key,
            -- Null for someone without an account.
            account uuid unique references access.account (id) on delete cascade,
            name text not null,
            language text not null default 'fr',
            mail text,
            phone text,
            -- Local time of the city; from after to is a night.
            quiet_from time,
            quiet_to time,
            -- Kept on purpose, not only for one message.
            kept boolean not null default true,
            created timestamptz not null,
            version integer not null default 1
        );
        create index contact_of_address on notify.contact ((coalesce(mail, phone)))
            where not kept;
        create table notify.preference (
            contact uuid not null references notify.contact (id) on delete cascade,
            -- A template's name, or * for all others.
            kind text not null,
            channel text not null,
            primary key (contact, kind)
        );
        create table notify.subscription (
            id uuid primary key,
            contact uuid not null references notify.contact (id) on delete cascade,
            endpoint text not null unique,
            p256dh text not null,
            auth text not null,
            created timestamptz not null
        );
        create index subscription_contact on notify.subscription (contact);
        create table notify.cascade (
            id uuid primary key,
            key text unique,
            template text not null,
            params jsonb not null,
            urgent boolean not null,
            state text not null default 'running',
            version integer not null default 1,
            -- The step that is being waited for; -1 before the first.
            current smallint not null default -1,
            municipality text not null,
            trade text not null,
            created timestamptz not null,
            created_by uuid,
            request_id text not null,
            acknowledged_at timestamptz,
            acknowledged_by uuid references notify.contact (id) on delete set null,
            ended timestamptz
        );
        create index cascade_created on notify.cascade (created, id);
        create table notify.cascade_step (
            cascade uuid not null references notify.cascade (id) on delete cascade,
            ordinal smallint not null,
            account uuid,
            contact uuid references notify.contact (id) on delete set null,
            role text not null default '',
            channel text,
            wait_s integer not null,
            outcome text not null default 'waiting',
            reached smallint not null default 0,
            at timestamptz,
            primary key (cascade, ordinal)
        );
        create table notify.message (
            id uuid primary key,
            -- Sent again with the same key, it is the same message.
            key text unique,
            contact uuid not null references notify.contact (id) on delete cascade,
            template text not null,
            channel text not null,
            urgent boolean not null,
            language text not null,
            subject text not null,
            body text not null,
            short text not null,
            state text not null,
            version integer not null default 1,
            municipality text not null,
            trade text not null,
            due timestamptz not null,
            created timestamptz not null,
            created_by uuid,
            request_id text not null,
            sent timestamptz,
            delivered timestamptz,
            provider_id text not null default '',
            error_code text not null default '',
            error text not null default '',
            -- A try ended between the provider's word and ours.
            maybe_twice boolean not null default false,
            cascade uuid references notify.cascade (id) on delete cascade,
            step smallint
        );
        create index message_created on notify.message (created, id);
        create index message_contact on notify.message (contact, created);
        create index message_cascade on notify.message (cascade) where cascade is not null;
        """
        + scope_policy("notify.cascade")
        + scope_policy("notify.message")
    )

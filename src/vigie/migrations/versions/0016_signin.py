"""Signing in: passkeys, accounts at providers, sessions with an id, edited roles, approvals."""

from alembic import op

revision = "0016"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        -- id: how its owner names a session; the key is never shown. fresh: when the person last
        -- showed who they are; null when a provider only passed them on.
        alter table access.session
            add column id uuid not null default gen_random_uuid(),
            add column means text not null default 'password',
            add column fresh timestamptz;
        update access.session set fresh = created;
        create unique index on access.session (id);

        create table access.passkey (
            id uuid primary key,
            account uuid not null references access.account on delete cascade,
            credential bytea not null unique,
            public_key bytea not null,
            sign_count bigint not null,
            -- The name of the host that it was made for: it opens no other.
            host text not null,
            name text not null,
            created timestamptz not null,
            used timestamptz
        );
        create index on access.passkey (account);

        -- Challenges and logins at a provider that were answered once: they are signed, and
        -- written down only then, so that asking for them costs no row.
        create table access.spent (
            digest bytea primary key,
            expires timestamptz not null
        );
        create index on access.spent (expires);

        -- An account's subject at an OpenID provider. managed: the provider's groups say what the
        -- account is granted, at every login.
        create table access.identity (
            id uuid primary key,
            provider text not null,
            subject text not null,
            account uuid not null references access.account on delete cascade,
            label text not null default '',
            managed boolean not null default false,
            linked_by text not null,
            created timestamptz not null,
            used timestamptz,
            unique (provider, subject)
        );
        create index on access.identity (account);

        -- Roles as this installation has them: an edited one of a room, or one of its own.
        create table access.role (
            name text primary key,
            labels jsonb not null default '{}',
            descriptions jsonb not null default '{}',
            permissions text[] not null,
            compartments text[] not null default '{}',
            version integer not null,
            changed timestamptz not null
        );

        -- Acts that need a second person. digest: of the act, its object and its parameters; who
        -- asked does exactly that, once, after somebody else has approved.
        create table access.approval (
            id uuid primary key,
            act text not null,
            object_type text not null,
            object_id text not null,
            params jsonb not null,
            digest bytea not null,
            permission text not null,
            municipality text not null,
            trade text not null,
            compartment text not null default '',
            reason text not null default '',
            asked_by uuid not null references access.account on delete cascade,
            asked timestamptz not null,
            expires timestamptz not null,
            decision text check (decision in ('approved', 'refused', 'withdrawn')),
            decided_by uuid references access.account on delete set null,
            decided timestamptz,
            done timestamptz
        );
        create index on access.approval (asked_by, digest) where done is null;
        create index on access.approval (expires);
        """
    )

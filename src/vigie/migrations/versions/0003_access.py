"""The shape of access: accounts, what they were granted, sessions, API tokens, login attempts."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create schema if not exists access")
    op.execute(
        """
        create table access.account (
            id uuid primary key,
            username text not null unique check (username = lower(username)),
            display_name text not null,
            language text not null default 'fr',
            password text not null,
            password_changed timestamptz not null,
            must_change_password boolean not null default true,
            active boolean not null default true,
            version integer not null default 1,
            created timestamptz not null,
            last_login timestamptz
        );
        create table access.granted (
            account uuid not null references access.account on delete cascade,
            role text not null,
            municipality text not null default '*',
            trade text not null default '*',
            primary key (account, role, municipality, trade)
        );
        -- key: SHA-256 of the cookie's 256 random bits; the secret itself is stored nowhere.
        create table access.session (
            key bytea primary key,
            account uuid not null references access.account on delete cascade,
            created timestamptz not null,
            expires timestamptz not null,
            used timestamptz not null,
            address text not null,
            agent text not null
        );
        create index on access.session (account);
        create index on access.session (expires);
        create table access.token (
            id uuid primary key,
            key bytea not null unique,
            account uuid not null references access.account on delete cascade,
            name text not null,
            permissions text[] not null,
            grants jsonb,
            created timestamptz not null,
            expires timestamptz,
            used timestamptz,
            revoked timestamptz
        );
        create index on access.token (account);
        -- Failed logins of a window, by user and by address: shared by every api process.
        create table access.attempt (
            key text primary key,
            since timestamptz not null,
            failures integer not null
        );
        """
    )

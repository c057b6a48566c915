"""Teams, what they are on call for, and who when."""

from alembic import op

from vigie.core.database import scope_policy

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


# ruff: noqa: S608 - tables are named below


def upgrade() -> None:
    op.execute("create schema if not exists duty")
    op.execute(
        """
        create table duty.team (
            id uuid primary key,
            name text not null,
            municipality text not null,
            trade text not null,
            version integer not null default 1,
            created timestamptz not null
        );
        -- Someone with an account, or someone of whom only a name and a number are kept; both
        -- are null once erased.
        create table duty.member (
            id uuid primary key,
            team uuid not null references duty.team,
            account uuid,
            name text not null,
            phone text not null,
            left_at timestamptz,
            created timestamptz not null
        );
        create index on duty.member (team);
        create index on duty.member (account);
        create table duty.function (
            id uuid primary key,
            team uuid not null references duty.team,
            key text not null,
            name text not null,
            people integer not null,
            hours text not null,
            version integer not null default 1,
            created timestamptz not null,
            unique (team, key)
        );
        create index on duty.function (key);
        -- A pattern, a shift or a swap (duty/rules.py). It holds from `since` until `ended`: what
        -- was true yesterday is never written anew.
        create table duty.rule (
            id uuid primary key,
            function uuid not null references duty.function,
            since timestamptz not null,
            ended timestamptz,
            spec jsonb not null
        );
        create index on duty.rule (function, ended);
        create table duty.absence (
            id uuid primary key,
            member uuid not null references duty.member,
            starts timestamptz not null,
            ends timestamptz not null
        );
        create index on duty.absence (member, ends);
        create table duty.hand_over (
            id uuid primary key,
            function uuid not null references duty.function,
            at timestamptz not null,
            giver uuid not null references duty.member,
            taker uuid not null references duty.member,
            note text not null,
            -- The act in the journal, where the note is kept too: erased here, erased there.
            entry uuid not null
        );
        create index on duty.hand_over (function, at);
        create index on duty.hand_over (giver);
        create index on duty.hand_over (taker);
        """
    )
    op.execute(scope_policy("duty.team"))
    # Each belongs to one above it, and is seen by who sees that.
    for table, above in (
        ("member", "team"),
        ("function", "team"),
        ("rule", "function"),
        ("absence", "member"),
        ("hand_over", "function"),
    ):
        op.execute(
            f"alter table duty.{table} enable row level security;"
            f"create policy scope on duty.{table} using ({above} in (select id from duty.{above}))"
        )

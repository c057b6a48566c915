"""The shape of the log: shifts and their entries."""

from alembic import op

from vigie.core.database import scope_policy

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create schema if not exists logbook;
        create table logbook.shift (
            id uuid primary key,
            number int not null,
            state text not null,
            version int not null default 1,
            municipality text not null,
            trade text not null,
            compartment text not null,
            opened timestamptz not null,
            opened_by text not null,
            handed timestamptz,
            handed_by text not null default '',
            note text not null default '',
            unique (municipality, trade, compartment, number)
        );
        -- One shift at a time writes in a log; the next begins when this one is handed over.
        create unique index shift_open on logbook.shift (municipality, trade, compartment)
            where state = 'open';

        -- Never changed, never deleted: the runtime has no right to (see the room's append_only).
        create table logbook.entry (
            id uuid primary key,
            shift uuid not null references logbook.shift,
            shift_number bigint not null,
            number int not null,
            at timestamptz not null,
            recorded timestamptz not null,
            author text not null,
            kind text not null,
            unit text not null,
            text text not null,
            folded text not null,
            act text not null,
            params jsonb not null,
            follow_up boolean not null,
            of uuid references logbook.entry,
            settles boolean not null,
            municipality text not null,
            trade text not null,
            compartment text not null,
            cause uuid unique,
            unique (shift, number)
        );
        create index entry_at on logbook.entry (at desc, id desc);
        create index entry_of on logbook.entry (of) where of is not null;
        create index entry_follow_up on logbook.entry (at) where follow_up;
        """
    )
    for table in ("shift", "entry"):
        op.execute(scope_policy(f"logbook.{table}", compartment="compartment"))

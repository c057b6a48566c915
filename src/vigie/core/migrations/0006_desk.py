"""People at their desks: preferences, posts of windows, presence, who took what, the wall."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table core.desk_preference (
            person uuid primary key,
            body jsonb not null,
            changed timestamptz not null
        );
        create table core.desk_post (
            id uuid primary key,
            person uuid not null,
            title text not null,
            windows jsonb not null,
            changed timestamptz not null,
            unique (person, title)
        );
        -- Who looks at which object; a row that is not renewed is over at `until`.
        create table core.desk_presence (
            person uuid not null,
            type text not null,
            object text not null,
            name text not null,
            municipality text not null,
            trade text not null,
            compartment text not null,
            since timestamptz not null,
            until timestamptz not null,
            primary key (type, object, person)
        );
        create index desk_presence_until on core.desk_presence (until);
        -- Who took an object: a word between colleagues, not a bar.
        create table core.desk_lock (
            type text not null,
            object text not null,
            person uuid not null,
            name text not null,
            municipality text not null,
            trade text not null,
            compartment text not null,
            since timestamptz not null,
            until timestamptz not null,
            primary key (type, object)
        );
        create table core.desk_wall (
            name text primary key,
            tiles jsonb not null,
            locked boolean not null,
            changed_by text not null,
            changed timestamptz not null,
            version int not null
        );
        """
    )

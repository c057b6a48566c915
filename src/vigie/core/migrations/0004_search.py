"""What the search over every object reads."""

from alembic import op

from vigie.core.database import scope_policy

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        -- One row an object, as a search shows it; rooms write it with the object itself.
        -- `text` are its words between spaces: ' panne rue av avenue foch '.
        create table core.found (
            object bigint generated always as identity primary key,
            type text collate "C" not null,
            id text collate "C" not null,
            number text collate "C" not null default '',
            title text not null default '',
            subtitle text not null default '',
            folded text collate "C" not null default '',
            text text collate "C" not null default ' ',
            at timestamptz,
            municipality text not null default '',
            trade text not null default '',
            compartment text not null default '',
            rank smallint not null default 0,
            unique (type, id)
        );
        create index found_number on core.found (type, number) where number <> '';
        -- Under row level security only leakproof operators reach an index, and no full-text or
        -- array one is: so a row a word. The policy's columns are in the index, so that what is
        -- out of scope is passed over without being fetched.
        create table core.found_word (
            type text collate "C" not null,
            word text collate "C" not null,
            object bigint not null,
            municipality text not null,
            trade text not null,
            compartment text not null,
            primary key (type, word, object) include (municipality, trade, compartment)
        );
        create index found_word_municipality
            on core.found_word (municipality, type, word, object) include (trade, compartment);
        """
    )
    for table in ("core.found", "core.found_word"):
        op.execute(scope_policy(table, compartment="compartment"))

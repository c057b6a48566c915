"""What a reaction does names the act that it answers."""

from alembic import op

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        -- Null and 0 for what no reaction did: its digest is what it was (journal/rules.py).
        alter table journal.entry
            add column caused_by uuid,
            add column chain int not null default 0;
        create index entry_caused on journal.entry (caused_by) where caused_by is not null;
        """
    )

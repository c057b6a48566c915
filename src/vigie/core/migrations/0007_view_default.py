"""The view that a list opens with, for each person."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table core.view_default (
            owner uuid not null,
            list text not null,
            view uuid not null references core.view (id) on delete cascade,
            primary key (owner, list)
        );
        """
    )

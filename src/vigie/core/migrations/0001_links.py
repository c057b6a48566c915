"""Links between any two objects."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        -- Both ends are text: a link knows no room. Who sees it is decided by both ends.
        create table core.link (
            id uuid primary key,
            kind text not null,
            from_type text not null,
            from_id text not null,
            to_type text not null,
            to_id text not null,
            created timestamptz not null,
            created_by uuid,
            unique (from_type, from_id, to_type, to_id, kind)
        );
        create index link_to on core.link (to_type, to_id);
        """
    )

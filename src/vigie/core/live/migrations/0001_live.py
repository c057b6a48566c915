"""Which rows of live topics changed, by transaction: see vigie.core.live.touch."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table core.live_touch (
            n bigint generated always as identity primary key,
            topic text not null,
            id text not null,
            scopes text[] not null,
            compartment text not null,
            changed xid8 not null default pg_current_xact_id()
        );
        create index live_touch_changed on core.live_touch (changed);
        """
    )

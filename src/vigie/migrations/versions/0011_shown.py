"""What was wanted and was shown: a lamp that later follows its own programme is no surprise."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        alter table twin.intent add column shown boolean not null default false;
        update twin.intent i set shown = true where not i.pending and exists (
            select from control.target t where t.asset = i.asset and t.state = 'confirmed');
        """
    )

"""City time: how it runs in an exercise or a test, and `vigie.now()`, which tells it in SQL."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        -- Empty in a real installation: city time is the machine's.
        create table core.city_clock (
            singleton boolean primary key check (singleton),
            base timestamptz not null,
            anchor timestamptz not null,
            rate float8 not null check (rate > 0)
        );
        create schema if not exists vigie;
        -- As clock_timestamp(), in city time. Example: set to 21:00 at 14:00 with rate 60; at 14:01
        -- it tells 22:00.
        create function vigie.now() returns timestamptz language sql stable parallel safe as $$
            select coalesce(
                (select base + (clock_timestamp() - anchor) * rate from core.city_clock),
                clock_timestamp())
        $$;
        """
    )

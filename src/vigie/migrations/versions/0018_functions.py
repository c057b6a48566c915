"""What is wanted of equipment is known by function; state is as wide as its kind."""

from alembic import op

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        -- Until now equipment had one function: a light's level.
        alter table twin.intent add column function text not null default 'level';
        alter table twin.intent alter column function drop default;
        alter table twin.intent drop constraint intent_pkey, add primary key (asset, function);

        alter table control.target add column function text not null default 'level';
        alter table control.target alter column function drop default;
        drop index control.target_watch;
        create unique index target_watch on control.target (asset, function) where watch;

        -- Every row was eight values wide. Of the kinds that there were, cabinets show five.
        update twin.state s set vals = s.vals[1:5], ats = s.ats[1:5]
        from twin.asset a
        where a.id = s.asset and a.kind = 'StreetlightControlCabinet'
         and array_length(s.vals, 1) > 5;

        -- A crossing's lights are three kinds now: this was the controller.
        update twin.asset set kind = 'TrafficLightController' where kind = 'TrafficLight';
        """
    )

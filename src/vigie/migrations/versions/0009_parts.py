"""Acts and commands know how much of them lies in each part of the city, so that whoever may see
one part is told of that part alone, without counting 34,000 rows."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        -- Scope key ("21231/lighting") to number of changes; null for acts of before: counted when
        -- read. Not sealed: it is drawn from the changes, which are.
        alter table journal.entry add column tally jsonb;

        -- Scope key to state to number of targets.
        alter table control.command add column parts jsonb not null default '{}';
        update control.command c set parts = p.parts
        from (select command, jsonb_object_agg(scope, states) as parts
              from (select command, scope, jsonb_object_agg(state, n) as states
                    from (select command, municipality || '/' || trade as scope, state,
                                 count(*) as n
                          from control.target group by 1, 2, 3) counted
                    group by command, scope) of_scope
              group by command) p
        where p.command = c.id;
        """
    )

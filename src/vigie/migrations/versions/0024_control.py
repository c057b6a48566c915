"""Control without one lock for all: who commands locks functions of equipment, urgent orders have a
lane of their own, and progress is counted by what moves."""

from alembic import op

revision = "0024"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        -- A row for each function that was ever commanded, to be locked by who commands it. Nothing
        -- else locks it, so that it comes before every other lock of a request.
        create table control.function (
            asset int not null,
            function text not null,
            primary key (asset, function)
        );

        -- 0: urgent; 1: to a few; 2: to many.
        alter table control.target add column lane smallint not null default 2;
        alter table control.target alter column lane drop default;
        drop index control.target_due;
        create index target_due on control.target (lane, next_send) where next_send is not null;

        alter table control.command add column urgent boolean not null default false;
        -- The request for a second person, and how long the order holds once approved.
        alter table control.command add column approval uuid;
        alter table control.command add column lasts_s real not null default 120;
        create index command_approval on control.command (approval) where approval is not null;

        -- What moved since the keeper last looked; n 0 only says: look at this command.
        create table control.moved (
            id bigint generated always as identity primary key,
            command uuid not null,
            scope text not null,
            state text not null,
            n int not null
        );
        -- In the database, so that no writer of a target's state can forget it.
        create function control.note_moves() returns trigger language plpgsql as $$
        begin
            insert into control.moved (command, scope, state, n)
            select command, municipality || '/' || trade, state, n
            from (select command, municipality, trade, state, sum(d) as n from (
                    select command, municipality, trade, state, -1 as d from before
                    union all
                    select command, municipality, trade, state, 1 from after
                ) both_sides
                group by 1, 2, 3, 4 having sum(d) <> 0) moves;
            return null;
        end $$;
        create trigger moves after update on control.target
            referencing old table as before new table as after
            for each statement execute function control.note_moves();

        -- From here on counts move by differences: they start from what is.
        update control.command c set parts = p.parts
        from (select command, jsonb_object_agg(scope, states) as parts
              from (select command, scope, jsonb_object_agg(state, n) as states
                    from (select t.command, t.municipality || '/' || t.trade as scope, t.state,
                                 count(*) as n
                          from control.target t join control.command o on o.id = t.command
                          where o.ended_at is null group by 1, 2, 3) counted
                    group by 1, 2) scoped
              group by 1) p
        where c.id = p.command;
        insert into control.moved (command, scope, state, n)
        select id, pairs[1], 'requested', 0 from control.command
        where ended_at is null and cardinality(pairs) > 0;
        """
    )

"""Status filters by index: who has a fault, who was not heard lately, who never was."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        -- Written with the state: a flag is up that asks for a person.
        alter table twin.state add column fault boolean not null default false;
        update twin.state s set fault = true from twin.asset a where a.id = s.asset and (
            a.kind = 'Streetlight' and (s.vals[7] = 1 or s.vals[8] = 1)
            or a.kind = 'StreetlightControlCabinet' and (s.vals[4] = 1 or s.vals[5] = 1));
        create index state_fault on twin.state (asset) where fault;

        -- The minute of the newest evidence. Indexed in place of `at`, which changes with every
        -- message: an update that changes no indexed column writes no index.
        alter table twin.state add column heard int not null generated always as
            (date_part('epoch', at - timestamptz '2000-01-01 00:00:00+00')::int4 / 60) stored;
        create index state_heard on twin.state (heard, asset);

        -- Equipment that was never heard: it has no state to find it by. Kept by triggers.
        create table twin.unheard (asset int primary key);
        alter table twin.unheard enable row level security;
        create policy scope on twin.unheard using (
            (select current_setting('vigie.scope_all', true)) = 'on'
            or exists (select from twin.asset where asset.id = unheard.asset));
        insert into twin.unheard select id from twin.asset a
            where not exists (select from twin.state s where s.asset = a.id);

        create function twin.note_unheard() returns trigger language plpgsql
            security definer set search_path = pg_catalog, pg_temp as $$
        begin
            if tg_table_name = 'state' then
                delete from twin.unheard u using heard h where u.asset = h.asset;
            elsif tg_op = 'INSERT' then
                insert into twin.unheard select id from added;
            else
                delete from twin.unheard u using removed r where u.asset = r.id;
            end if;
            return null;
        end $$;
        create trigger asset_unheard after insert on twin.asset
            referencing new table as added
            for each statement execute function twin.note_unheard();
        create trigger asset_unheard_gone after delete on twin.asset
            referencing old table as removed
            for each statement execute function twin.note_unheard();
        create trigger state_first after insert on twin.state
            referencing new table as heard
            for each statement execute function twin.note_unheard();

        drop function twin.assets_flagged(text[], int[]);
        drop function twin.assets_heard(timestamptz);

        -- Ids whatever the scope, as of twin.assets_in (migration 0005): callers join with
        -- twin.asset, which hides what is not theirs.
        create function twin.assets_at_fault() returns setof int
            language sql stable security definer rows 1000
            set search_path = pg_catalog, pg_temp
            as $$ select asset from twin.state where fault order by asset $$;
        -- In the last of the minutes the very time decides.
        create function twin.assets_silent(since timestamptz) returns setof int
            language sql stable security definer rows 5000
            set search_path = pg_catalog, pg_temp as $$
            select asset from twin.state
            where heard < date_part('epoch',
                since - timestamptz '2000-01-01 00:00:00+00')::int4 / 60
            union all select asset from twin.state
            where at <= since and heard = date_part('epoch',
                since - timestamptz '2000-01-01 00:00:00+00')::int4 / 60
            union all select asset from twin.unheard $$;
        revoke execute on function twin.assets_at_fault(), twin.assets_silent(timestamptz)
            from public;
        grant execute on function twin.assets_at_fault(), twin.assets_silent(timestamptz)
            to vigie_runtime;
        analyze twin.state;
        """
    )

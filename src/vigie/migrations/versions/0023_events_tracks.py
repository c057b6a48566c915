"""The shape of what moves and of what happens: tracks, newest positions, events, by day."""

from alembic import op

from vigie.core.database import scope_policy

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        -- One row a position, 24 bytes of values so that a row takes 52 with its header.
        -- `second` counts from 2000-01-01 UTC; `lon` and `lat` are 1e-7 degree; `ms` holds the
        -- milliseconds in its low 10 bits and flags above (1 late, 2 jump); `speed` in cm/s,
        -- `heading` in tenths of a degree, `accuracy` in decimetres, null where not known.
        create table twin.track (
            second int not null,
            asset int not null,
            lon int not null,
            lat int not null,
            ms smallint not null,
            speed smallint,
            heading smallint,
            accuracy smallint
        ) partition by range (second);
        -- By quarter of an hour: equal keys share one index entry, with 6 bytes for each row.
        create index track_asset on twin.track (asset, (second / 900)) with (fillfactor = 100);

        -- Fixes that are none (no satellites, out of bounds, a wrong clock), kept to be looked at.
        create table twin.track_refused (
            asset int not null,
            recorded timestamptz not null,
            at timestamptz,
            code text not null,
            lon float8,
            lat float8
        ) partition by range (recorded);
        create index track_refused_asset on twin.track_refused (asset, recorded);

        -- Where it is: the newest accepted position. `last` is the newest one stored, doubted ones
        -- included; the doubt is a jump that waits for a second fix to agree with it. `street` and
        -- `municipality` are those of the located point, renewed when it has moved away from it.
        create table twin.position (
            asset int primary key references twin.asset on delete cascade,
            at timestamptz,
            last timestamptz,
            recorded timestamptz,
            lon int not null default 0,
            lat int not null default 0,
            speed int,
            heading int,
            accuracy int,
            doubt_at timestamptz,
            doubt_lon int not null default 0,
            doubt_lat int not null default 0,
            located_lon int not null default 0,
            located_lat int not null default 0,
            municipality text not null default '',
            street text not null default ''
        ) with (fillfactor = 60);
        alter table twin.position enable row level security;
        create policy scope on twin.position using (
            (select current_setting('vigie.scope_all', true)) = 'on'
            or exists (select from twin.asset where asset.id = position.asset));

        -- What happened to equipment. `key` is made of (asset, at, id), so the same event sent
        -- again is the same row. `fields` is empty where the event is personal.
        create table twin.event (
            key uuid not null,
            at timestamptz not null,
            recorded timestamptz not null,
            asset int not null,
            id text not null,
            name text not null,
            kind text not null,
            asset_name text not null,
            municipality text not null,
            trade text not null,
            personal boolean not null,
            abnormal boolean not null,
            fields jsonb not null,
            folded text not null
        ) partition by range (at);
        create unique index event_key on twin.event (at, key);
        create index event_asset on twin.event (asset, at);

        -- What personal events say: kept apart, for as long as their kind declares.
        create table twin.event_personal (
            key uuid not null,
            at timestamptz not null,
            expires timestamptz not null,
            municipality text not null,
            trade text not null,
            fields jsonb not null
        ) partition by range (at);
        create unique index event_personal_key on twin.event_personal (at, key);
        create index event_personal_expires on twin.event_personal (expires);

        -- Events that their kind does not declare so, kept to be looked at.
        create table twin.event_refused (
            asset int not null,
            recorded timestamptz not null,
            at timestamptz,
            code text not null,
            name text not null,
            fields jsonb not null
        ) partition by range (recorded);
        create index event_refused_asset on twin.event_refused (asset, recorded);

        -- Partitions belong to the owner; the runtime asks for them here. Days are UTC.
        create function twin.open_day(part text, day date) returns void
            language plpgsql security definer set search_path = pg_catalog, pg_temp
            as $$
        declare
            name text := part || '_' || to_char(day, 'YYYYMMDD');
            begins text;
            ends text;
        begin
            if part not in
                ('track', 'track_refused', 'event', 'event_personal', 'event_refused')
            then
                raise exception 'twin.open_day: % is not kept by day', part;
            end if;
            if to_regclass('twin.' || name) is not null then
                return;
            end if;
            perform pg_advisory_xact_lock(7710423);
            if to_regclass('twin.' || name) is not null then
                return;
            end if;
            if part = 'track' then
                begins := ((day - date '2000-01-01') * 86400)::text;
                ends := ((day - date '2000-01-01' + 1) * 86400)::text;
            else
                begins := (day::timestamp at time zone 'UTC')::text;
                ends := ((day + 1)::timestamp at time zone 'UTC')::text;
            end if;
            -- Made and then attached: that waits for no reader of the other days.
            execute format('create table twin.%I (like twin.%I including all)', name, part);
            execute format(
                'alter table twin.%I attach partition twin.%I for values from (%L) to (%L)',
                part, name, begins, ends);
        end $$;

        create function twin.drop_days(part text, before date) returns int
            language plpgsql security definer set search_path = pg_catalog, pg_temp
            as $$
        declare
            name text;
            dropped int := 0;
        begin
            if part not in
                ('track', 'track_refused', 'event', 'event_personal', 'event_refused')
            then
                raise exception 'twin.drop_days: % is not kept by day', part;
            end if;
            perform pg_advisory_xact_lock(7710423);
            for name in
                select c.relname from pg_inherits i
                join pg_class c on c.oid = i.inhrelid
                where i.inhparent = ('twin.' || part)::regclass
                and c.relname < part || '_' || to_char(before, 'YYYYMMDD')
            loop
                execute format('alter table twin.%I detach partition twin.%I', part, name);
                execute format('drop table twin.%I', name);
                dropped := dropped + 1;
            end loop;
            return dropped;
        end $$;

        -- A day that is over, in order of its index: an asset's positions lie together and the
        -- index is full (59 bytes a row, 64 while it was written). Copied beside it while all go
        -- on; then, for about a second, nobody reads or writes tracks, the few rows that came
        -- meanwhile are added, and the copy takes its place. That it was done is what the
        -- database itself notes of a table that is clustered on an index.
        create function twin.pack_track(day date) returns boolean
            language plpgsql security definer set search_path = pg_catalog, pg_temp
            as $$
        declare
            name text := 'track_' || to_char(day, 'YYYYMMDD');
            packed text := name || '_packed';
            begins int := (day - date '2000-01-01') * 86400;
            horizon xid;
        begin
            if not exists (
                select from pg_index
                where indrelid = to_regclass('twin.' || name) and not indisclustered
            ) then
                return false;
            end if;
            -- What was written by transactions that are over now; the rest is added at the end.
            horizon := pg_snapshot_xmin(pg_current_snapshot())::xid;
            execute format('create table twin.%I (like twin.track including defaults)', packed);
            execute format(
                'insert into twin.%I select * from twin.%I where age(xmin) > age($1)'
                ' order by asset, second, ms & 1023', packed, name) using horizon;
            execute format(
                'create index %I on twin.%I (asset, (second / 900)) with (fillfactor = 100)',
                packed || '_asset', packed);
            execute format('alter table twin.%I cluster on %I', packed, packed || '_asset');
            -- With this its place in the table is believed without being looked at.
            execute format(
                'alter table twin.%I add constraint day check (second >= %s and second < %s)',
                packed, begins, begins + 86400);
            execute format('analyze twin.%I', packed);
            lock table only twin.track in access exclusive mode;
            execute format(
                'insert into twin.%I select * from twin.%I where age(xmin) <= age($1)',
                packed, name) using horizon;
            execute format('alter table twin.track detach partition twin.%I', name);
            execute format('drop table twin.%I', name);
            execute format('alter table twin.%I rename to %I', packed, name);
            execute format(
                'alter index twin.%I rename to %I', packed || '_asset', name || '_asset');
            execute format(
                'alter table twin.track attach partition twin.%I for values from (%s) to (%s)',
                name, begins, begins + 86400);
            execute format('alter table twin.%I drop constraint day', name);
            return true;
        end $$;

        revoke execute on function twin.open_day(text, date), twin.drop_days(text, date),
            twin.pack_track(date) from public;
        grant execute on function twin.open_day(text, date), twin.drop_days(text, date),
            twin.pack_track(date) to vigie_runtime;
        """
    )
    op.execute(
        """
        -- Trackers that name themselves by a number (IMEI) and have no secret: the client that
        -- speaks for each. A client that has a secret needs no row here.
        create table gateways.tracker (
            client int primary key references gateways.client on delete cascade,
            protocol text not null check (protocol in ('osmand', 'teltonika', 'nmea', 'radio')),
            identity text not null check (identity <> ''),
            asset int references twin.asset on delete set null,
            created timestamptz not null default now(),
            municipality text not null default '',
            trade text not null,
            unique (protocol, identity)
        );
        """
    )
    op.execute(scope_policy("gateways.tracker"))
    # A track has no policy: COPY needs none, and who reads one reads the asset first.
    op.execute(scope_policy("twin.event"))
    op.execute(scope_policy("twin.event_personal"))

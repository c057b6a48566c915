"""The shape of telemetry: history by day, latest state, what is wanted, how far ingest came."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create schema if not exists twin;

        -- Metric names of a message, in slot order: a row of history names its set by number.
        create table twin.metric_set (
            id smallint generated always as identity primary key,
            metrics text[] not null unique
        );

        -- One row a message. Order of columns: no padding between them.
        create table twin.history (
            device int not null,
            n int not null,
            at timestamptz not null,
            boot smallint not null,
            set smallint not null,
            lag smallint not null,
            vals float4[] not null
        ) partition by range (at);
        -- The time as seconds since 2000 in 4 bytes: an entry takes 20 bytes instead of 28, and the
        -- index 37% of its table instead of 50 (see twin/telemetry/history.py, SECOND).
        create index history_device on twin.history (
            device,
            (date_part('epoch', at - timestamptz '2000-01-01 00:00:00+00')::int4)
        );

        -- The newest value of each metric, by slot of the kind; NaN: never told. `ats` holds each
        -- value's own time (null: never told), and is null when they are all `at`.
        create table twin.state (
            asset int primary key references twin.asset on delete cascade,
            n int not null,
            at timestamptz not null,
            recorded timestamptz not null,
            boot smallint not null,
            vals float8[] not null,
            ats timestamptz[]
        ) with (fillfactor = 45);

        -- What a command wants of an asset. Apart from state, so that control and ingest never
        -- wait for each other. `changed` orders by transaction: a reader that remembers its
        -- snapshot's xmin misses no late committer.
        create table twin.intent (
            asset int primary key references twin.asset on delete cascade,
            desired float8,
            pending boolean not null default false,
            changed xid8 not null default pg_current_xact_id()
        );
        create index intent_pending on twin.intent (asset) where pending;
        create index intent_changed on twin.intent (changed);

        -- Up to where each lane of readings is stored: advanced in the transaction that stores.
        -- `position` counts in the stream of this `broker` life; `commits` never goes back.
        create table twin.ingest (
            lane int primary key,
            epoch bigint not null default 0,
            broker text not null default '',
            stream text not null default '',
            position bigint not null default 0,
            commits bigint not null default 0,
            committed timestamptz
        );

        create function twin.history_name(day date) returns text
            language sql immutable
            as $$ select 'history_' || to_char(day, 'YYYYMMDD') $$;

        -- Partitions belong to the owner; the runtime asks for them here.
        create function twin.open_history(day date) returns void
            language plpgsql security definer set search_path = pg_catalog, pg_temp
            as $$
        declare
            name text := twin.history_name(day);
        begin
            perform pg_advisory_xact_lock(7710420);
            if to_regclass('twin.' || name) is not null then
                return;
            end if;
            execute format('create table twin.%I (like twin.history including all)', name);
            execute format('grant insert on twin.%I to vigie_runtime', name);
            execute format(
                'alter table twin.history attach partition twin.%I for values from (%L) to (%L)',
                name, day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
        end $$;

        create function twin.drop_history(before date) returns int
            language plpgsql security definer set search_path = pg_catalog, pg_temp
            as $$
        declare
            name text;
            dropped int := 0;
        begin
            perform pg_advisory_xact_lock(7710420);
            for name in
                select c.relname from pg_inherits i
                join pg_class c on c.oid = i.inhrelid
                where i.inhparent = 'twin.history'::regclass
                and c.relname < twin.history_name(before)
            loop
                execute format('alter table twin.history detach partition twin.%I', name);
                execute format('drop table twin.%I', name);
                dropped := dropped + 1;
            end loop;
            return dropped;
        end $$;

        revoke execute on function twin.open_history(date), twin.drop_history(date) from public;
        grant execute on function twin.open_history(date), twin.drop_history(date)
            to vigie_runtime;
        """
    )
    # Seen when the asset is. History has no policy: COPY needs none, and its one reading verb
    # reads the asset first.
    for table in ("state", "intent"):
        op.execute(
            f"""
            alter table twin.{table} enable row level security;
            create policy scope on twin.{table} using (
                (select current_setting('vigie.scope_all', true)) = 'on'
                or exists (select from twin.asset where asset.id = {table}.asset));
            """  # noqa: S608 - two constants
        )

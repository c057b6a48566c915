"""The shape of journal: acts, their changes, their order, their seals.

The runtime may insert and read; it cannot change or remove what happened. Only `personal` (erasure
on request), `pending` (a queue) and what reactions remember of themselves can be deleted from.
Four tables are partitioned by the month of `recorded`, so that retention drops whole months.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
create schema if not exists journal;

create table journal.entry (
    id uuid not null,
    recorded timestamptz not null,
    occurred timestamptz not null,
    act text not null,
    actor_kind text not null,
    actor_id uuid,
    actor_name text not null default '',
    role text not null default '',
    request_id text not null default '',
    params jsonb not null default '{}',
    personal jsonb not null default '{}',
    scopes text[] not null default '{}',
    changes int not null default 0,
    primary key (id, recorded)
) partition by range (recorded);
create index entry_recorded on journal.entry (recorded desc, id desc);
create index entry_act on journal.entry (act, recorded desc);
create index entry_actor on journal.entry (actor_id, recorded desc);

create table journal.change (
    entry uuid not null,
    recorded timestamptz not null,
    ordinal int not null,
    object_type text not null,
    object_id text not null,
    scope text not null default '',
    before jsonb,
    after jsonb,
    primary key (entry, ordinal, recorded)
) partition by range (recorded);
create index change_object on journal.change (object_type, object_id, recorded desc);

create table journal.personal (
    entry uuid not null,
    recorded timestamptz not null,
    field text not null,
    subject text not null default '',
    value text not null,
    salt bytea not null,
    primary key (entry, field, recorded)
) partition by range (recorded);
create index personal_subject on journal.personal (subject) where subject <> '';
create index personal_actor on journal.personal (value) where field = 'actor';

create table journal.position (
    position bigint not null,
    entry uuid not null,
    recorded timestamptz not null,
    primary key (entry, recorded)
) partition by range (recorded);
create index position_order on journal.position (position);

create table journal.pending (
    entry uuid primary key,
    recorded timestamptz not null
);

create table journal.block (
    number bigint primary key,
    first bigint not null,
    last bigint not null,
    month date not null,
    digests bytea not null,
    previous bytea not null,
    digest bytea not null,
    sealed timestamptz not null,
    key text not null,
    signature bytea not null
);
create unique index block_last on journal.block (last);

create table journal.cursor (
    reaction text primary key,
    position bigint not null,
    tries int not null default 0,
    next_try timestamptz,
    error text not null default ''
);

create table journal.parked (
    reaction text not null,
    position bigint not null,
    entry uuid not null,
    tries int not null,
    error text not null,
    parked timestamptz not null default now(),
    primary key (reaction, position)
);
"""

FUNCTIONS = """
create function journal.ensure_months(first date, months int) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    month date;
    part text;
    name text;
    made int := 0;
begin
    if months not between 1 and 24 or first not between (now() - interval '2 years')::date
       and (now() + interval '2 years')::date then
        raise exception 'journal.ensure_months: at most 24 months, within two years of today';
    end if;
    for i in 0 .. months - 1 loop
        month := (date_trunc('month', first::timestamp) + make_interval(months => i))::date;
        foreach part in array array['entry', 'change', 'personal', 'position'] loop
            name := part || '_' || to_char(month, 'YYYYMM');
            continue when to_regclass(format('journal.%I', name)) is not null;
            begin
                execute format(
                    'create table journal.%I partition of journal.%I for values from (%L) to (%L)',
                    name, part, to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00',
                    to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');
                made := made + 1;
            exception when check_violation then
                -- The default partition already holds rows of that month: they stay there.
                raise warning 'journal: % stays in the default partition', name;
            end;
        end loop;
    end loop;
    return made;
end $$;

create function journal.drop_month(month date) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    name text := to_char(month, 'YYYYMM');
    begins timestamptz := (to_char(month, 'YYYY-MM') || '-01 00:00:00+00')::timestamptz;
    ends timestamptz := begins + interval '1 month';
    newest bigint;
begin
    if ends > now() then
        raise exception 'journal.drop_month: % has not ended', name;
    end if;
    if exists (select from journal.pending where recorded >= begins and recorded < ends) then
        raise exception 'journal.drop_month: % has entries that wait for their position', name;
    end if;
    select max(position) into newest
        from journal.position where recorded >= begins and recorded < ends;
    if newest > coalesce((select max(last) from journal.block), 0) then
        raise exception 'journal.drop_month: % is not sealed yet', name;
    end if;
    if exists (select from journal.cursor where position < newest) then
        raise exception 'journal.drop_month: a reaction has not read % yet', name;
    end if;
    execute format('drop table journal.%I, journal.%I, journal.%I, journal.%I',
        'entry_' || name, 'change_' || name, 'personal_' || name, 'position_' || name);
end $$;

-- True when one of these keys ("21231/lighting") is inside the scope of the unit of work.
create function journal.in_scope(scopes text[]) returns boolean
language sql stable parallel safe as $$
    select current_setting('vigie.scope_all', true) = 'on'
        or scopes && coalesce(nullif(current_setting('vigie.scope_pairs', true), ''), '{}')::text[]
        or exists (
            select from unnest(scopes) as scope
            where split_part(scope, '/', 1) = any(coalesce(
                    nullif(current_setting('vigie.scope_municipalities', true), ''), '{}')::text[])
               or split_part(scope, '/', 2) = any(coalesce(
                    nullif(current_setting('vigie.scope_trades', true), ''), '{}')::text[]))
$$;

revoke all on function journal.ensure_months(date, int) from public;
revoke all on function journal.drop_month(date) from public;

do $$ declare part text; begin
    foreach part in array array['entry', 'change', 'personal', 'position'] loop
        execute format('create table journal.%I partition of journal.%I default',
            part || '_other', part);
    end loop;
end $$;
select journal.ensure_months((now() at time zone 'utc' - interval '1 month')::date, 8);
"""

GRANTS = """
grant usage on schema journal to vigie_runtime;
grant select, insert on journal.entry, journal.change, journal.position, journal.block
    to vigie_runtime;
grant select, insert, delete on journal.personal, journal.pending, journal.parked
    to vigie_runtime;
grant select, insert, update on journal.cursor to vigie_runtime;
grant execute on function journal.ensure_months(date, int) to vigie_runtime;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(FUNCTIONS)
    op.execute(GRANTS)

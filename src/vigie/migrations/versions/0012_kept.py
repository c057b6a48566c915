"""What must not be lost: numbers of metric sets, corrections of people, acts that wait."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

METRIC_SETS = """
-- History names its set by number and has no foreign key (decision 11). Numbers that were given in
-- units that rolled back may stand in history: a row without names keeps them from being given to
-- another set. From here on numbers are given in a row, by twin/telemetry/sets.py.
do $$
declare
    given int;
begin
    select case when is_called then last_value else 0 end into given from twin.metric_set_id_seq;
    if given > (select coalesce(max(id), 0) from twin.metric_set) then
        insert into twin.metric_set (id, metrics) overriding system value values (given, '{}');
    end if;
end $$;
alter table twin.metric_set alter column id drop identity;

create function twin.keep_metric_set() returns trigger language plpgsql as $$
begin
    raise exception 'twin.metric_set: rows of history name their set by number; none may change';
end $$;
create trigger metric_set_kept before update or delete or truncate on twin.metric_set
    for each statement execute function twin.keep_metric_set();
"""

OVERRIDDEN = """
-- Fields that a person corrected, each with what the source says of it ({"name": "Old"}): an import
-- compares three ways. `attributes` holds an object by key; null: the source has no such key.
alter table twin.asset add column overridden jsonb not null default '{}';

-- Corrections of before: the value before the first change by a person since the last import.
with first as (
    select distinct on (c.object_id, field.key) cast(c.object_id as int) as asset, field.key,
        field.value
    from journal.entry e
    join journal.change c on c.entry = e.id and c.recorded = e.recorded
    cross join lateral jsonb_each(c.before) as field
    where e.act = 'twin.asset_changed' and c.object_type = 'twin.asset'
    and field.key <> 'municipality'
    and not exists (
        select from journal.change later
        join journal.entry i on i.id = later.entry and i.recorded = later.recorded
        where later.object_type = 'twin.asset' and later.object_id = c.object_id
        and later.recorded > c.recorded and i.act = 'twin.equipment_imported')
    order by c.object_id, field.key, c.recorded
), of_asset as (
    select f.asset, jsonb_object_agg(f.key, case
        when f.key <> 'attributes' then f.value
        else (select coalesce(jsonb_object_agg(key, coalesce(f.value -> key, 'null')), '{}')
              from jsonb_object_keys(f.value || a.attributes) as key
              where f.value -> key is distinct from a.attributes -> key)
        end) as fields
    from first f join twin.asset a on a.id = f.asset
    group by f.asset
)
update twin.asset a set overridden = o.fields from of_asset o where a.id = o.asset;
"""

JOURNAL = """
-- Someone asked for another try; the reaction's runner takes it from there.
alter table journal.parked add column retry boolean not null default false;
grant update on journal.parked to vigie_runtime;

-- Since when no program declares this reaction any more: its cursor moves no further, and
-- retention does not wait for it.
alter table journal.cursor add column retired timestamptz;

create or replace function journal.drop_month(month date) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    name text := to_char(month, 'YYYYMM');
    begins timestamptz := (to_char(month, 'YYYY-MM') || '-01 00:00:00+00')::timestamptz;
    ends timestamptz := begins + interval '1 month';
    newest bigint;
    behind text;
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
    select string_agg(reaction, ', ' order by reaction) into behind
        from journal.cursor where position < newest and retired is null;
    if behind is not null then
        raise exception 'journal.drop_month: % is not read yet by the reaction %', name, behind;
    end if;
    select string_agg(distinct p.reaction, ', ') into behind
        from journal.parked p join journal.cursor c on c.reaction = p.reaction
        where p.position <= newest and c.retired is null;
    if behind is not null then
        raise exception
            'journal.drop_month: acts of % are parked: have % try again, or dismiss them',
            name, behind;
    end if;
    execute format('drop table journal.%I, journal.%I, journal.%I, journal.%I',
        'entry_' || name, 'change_' || name, 'personal_' || name, 'position_' || name);
end $$;
"""


def upgrade() -> None:
    op.execute(METRIC_SETS)
    op.execute(OVERRIDDEN)
    op.execute(JOURNAL)

"""Keys of acts with a compartment: "21231/lighting#police" is seen by who is in that place and
opens the compartment there; "…#crisis+police" by who opens both. Keys without one stay as they are.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        r"""
        -- The same as Scope.holds for any of these keys.
        create or replace function journal.in_scope(scopes text[]) returns boolean
        language sql stable parallel safe as $$
            select case when array_to_string(scopes, ' ') not like '%#%' then
                current_setting('vigie.scope_all', true) = 'on'
                or scopes && coalesce(
                    nullif(current_setting('vigie.scope_pairs', true), ''), '{}')::text[]
                or exists (
                    select from unnest(scopes) as scope
                    where split_part(scope, '/', 1) = any(coalesce(
                            nullif(current_setting('vigie.scope_municipalities', true), ''),
                            '{}')::text[])
                       or split_part(scope, '/', 2) = any(coalesce(
                            nullif(current_setting('vigie.scope_trades', true), ''),
                            '{}')::text[]))
            else exists (
                select from unnest(scopes) as key,
                    -- '21231/lighting#crisis+police' is 21231, lighting, {crisis,police}
                    lateral (select
                        split_part(key, '#', 1) as pair,
                        split_part(key, '/', 1) as town,
                        split_part(split_part(key, '#', 1), '/', 2) as trade,
                        string_to_array(nullif(split_part(key, '#', 2), ''), '+') as closed,
                        coalesce(nullif(current_setting('vigie.scope_compartments', true), ''),
                            '{}')::text[] as opened) as part
                where (current_setting('vigie.scope_all', true) = 'on'
                    or pair = any(coalesce(nullif(
                        current_setting('vigie.scope_pairs', true), ''), '{}')::text[])
                    or town = any(coalesce(nullif(
                        current_setting('vigie.scope_municipalities', true), ''), '{}')::text[])
                    or trade = any(coalesce(nullif(
                        current_setting('vigie.scope_trades', true), ''), '{}')::text[]))
                  and not exists (
                    select from unnest(closed) as name
                    where not array['*', name, name || '@' || town || '/*',
                        name || '@*/' || trade, name || '@' || pair] && opened))
            end
        $$;
        """
    )

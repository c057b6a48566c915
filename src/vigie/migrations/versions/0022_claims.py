"""Clients that claim their secret with a code, and what a device's values are corrected by."""

from alembic import op

from vigie.core.database import scope_policy

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        -- A code is printed on a box; who has it asks once for the client's secret, and gets it
        -- when a person has approved. Code and ticket are kept as their SHA-256.
        create table gateways.claim (
            id uuid primary key,
            client int not null references gateways.client on delete cascade,
            code_sha256 bytea not null unique,
            created timestamptz not null default now(),
            expires timestamptz not null,
            claimed timestamptz,
            address text not null default '',
            ticket_sha256 bytea unique,
            decided timestamptz,
            approved boolean,
            collected timestamptz,
            municipality text not null,
            trade text not null
        );
        create index on gateways.claim (client);

        -- value = factor * raw + "offset", for readings of `valid_from` and later.
        create table gateways.calibration (
            asset int not null references twin.asset on delete cascade,
            metric text not null,
            valid_from timestamptz not null,
            factor float8 not null,
            "offset" float8 not null,
            reason text not null,
            created timestamptz not null default now(),
            municipality text not null,
            trade text not null,
            primary key (asset, metric, valid_from)
        );
        """
    )
    op.execute(scope_policy("gateways.claim"))
    op.execute(scope_policy("gateways.calibration"))

"""Clients of any protocol: which one each speaks, by which stream its messages come, its clock."""

from alembic import op

revision = "0021"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        -- stream 0: the MQTT broker's own; 1: what other protocols accept (VIGIE_IN).
        -- clock: whose time dates its messages; 'server' for one that has no usable clock.
        alter table gateways.client
            add column protocol text not null default 'mqtt',
            add column stream smallint not null default 0 check (stream in (0, 1)),
            add column clock text not null default 'device' check (clock in ('device', 'server'));

        -- How a client of many devices names this one, when not by our token: an IMEI, a call sign.
        alter table gateways.device add column ref text check (length(ref) between 1 and 64);
        create unique index on gateways.device (client, ref);

        -- Median of (the device's time - the time of receipt), as last measured.
        alter table gateways.presence add column skew_s real, add column skewed timestamptz;

        -- When a person sent the message through validation again.
        alter table gateways.quarantine add column replayed timestamptz;
        """
    )

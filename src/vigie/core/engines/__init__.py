"""The two engines, embedded: PostgreSQL and NATS from wheels, started by absolute path."""

from vigie.core.engines.nats import ACCOUNT, NatsEngine, issuer_seed
from vigie.core.engines.postgres import PostgresEngine
from vigie.core.engines.process import Child, free_port, port_fault, port_in_use
from vigie.core.engines.secrets import ensure as ensure_secret
from vigie.core.engines.secrets import write as write_secret

__all__ = [
    "ACCOUNT",
    "Child",
    "NatsEngine",
    "PostgresEngine",
    "ensure_secret",
    "free_port",
    "issuer_seed",
    "port_fault",
    "port_in_use",
    "write_secret",
]

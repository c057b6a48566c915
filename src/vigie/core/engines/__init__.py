"""The two engines, embedded: PostgreSQL and NATS from wheels, started by absolute path."""

from vigie.core.engines.nats import NatsEngine
from vigie.core.engines.postgres import PostgresEngine
from vigie.core.engines.process import Child, free_port, port_in_use

__all__ = ["Child", "NatsEngine", "PostgresEngine", "free_port", "port_in_use"]

"""Alembic's environment: the connection comes from vigie.core.migrate."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table_schema="core", version_table="revision")
with context.begin_transaction():
    context.run_migrations()

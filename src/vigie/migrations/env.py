"""Alembic's environment: the connection comes from vigie.core.migrate."""

from alembic import context

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    version_table_schema="core",
    version_table=attributes.get("version_table", "revision"),
)
with context.begin_transaction():
    context.run_migrations()

"""The history of the database's shape: one linear chain of Alembic revisions."""

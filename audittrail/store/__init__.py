"""All SQL. One module per noun; the only door to SQLAlchemy and Alembic."""

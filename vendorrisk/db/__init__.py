"""The database: tables, types, engine, and the vault that seals what a thief must not read."""

"""Use cases: `verb(session, …, *, by, now)`. They never commit; the edge (view, command, job) owns the transaction."""

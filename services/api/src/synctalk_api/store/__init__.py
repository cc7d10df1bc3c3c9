"""PostgreSQL, one module per table. SQL lives only here; the action owns the transaction."""

"""PostgreSQL and Redis, one file per table or key family."""

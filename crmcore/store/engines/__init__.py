"""Where a batch may be computed: DuckDB in this process, the firm's own PostgreSQL, or Spark."""

"""The scenario harness: one isolated hub per run, real Kafka and PostgreSQL, a test clock."""

"""Contracts: topics, schemas, grants, the Avro codec and the CloudEvents binding."""

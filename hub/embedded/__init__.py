"""Embedded services: one real Kafka node and one real PostgreSQL server under a data folder.

For development, demonstrations and tests. A department's own cluster is named by ``HUB_KAFKA``
and ``HUB_DATABASE``; nothing is started for a service that is named there.
"""

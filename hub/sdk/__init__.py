"""SDK of connectors: manifests, observations, mapping helpers, and a scaffold for new ones."""

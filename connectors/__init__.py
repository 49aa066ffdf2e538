"""Department connectors: one folder each."""

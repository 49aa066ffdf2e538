"""Kernel: identifiers, clocks, errors, settings. Imports nothing else of the hub."""

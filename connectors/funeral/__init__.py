"""Funeral service (殡葬管理): cremations."""

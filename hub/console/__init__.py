"""The operators' console: server-rendered pages, Chinese first, nothing from outside."""

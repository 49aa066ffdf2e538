"""Routing: who is told of an event, whether it may leave, and what leaves. Pure."""

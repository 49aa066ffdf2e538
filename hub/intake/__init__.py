"""Intake: from a department's record to canonical events, or to a dead letter. Pure."""

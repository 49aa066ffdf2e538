"""Civil affairs (民政局): categories, decisions and households from its message queue."""

"""Police (公安局): cancelled registrations of the dead, household and residence changes."""

"""Housing bureau (住建局): assessed houses and allocations."""

"""Villages and communities (村居): reports by form or app."""

"""Field maps: what both sides call a field, what fits, and how a value is converted."""

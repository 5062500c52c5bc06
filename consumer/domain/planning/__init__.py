"""Snapshot, ledger, mapping and now become a plan: `planner` is the one function, the others are its chapters."""

"""EXPLAIN: where records and events stand, in words for pages and commands."""

"""Integrations, event pairs and their mappings."""

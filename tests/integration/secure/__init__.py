"""Servers that want to know who comes. A package, so that its broker ends with the last of its tests."""

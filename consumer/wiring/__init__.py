"""Composition: clients are opened, ports are bound, services are put together. Nothing runs yet; `app` does that."""

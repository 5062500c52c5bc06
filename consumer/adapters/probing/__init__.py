"""Finds out on a scratch event which of the guesses about Swoogo's API hold (`swoogo-api.md 11.3`)."""

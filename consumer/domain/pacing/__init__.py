"""When to call Swoogo, and when to wait."""

"""The service in a process of its own, end to end. A package, so that what tests share ends with the last of them."""

"""What Swoogo delivers by webhook, taken in."""

"""What is known of the records on both sides, and how they are named."""

"""What a push knows, does and comes to, around its plan."""

"""What people are shown, as documents: read here, printed by the commands, drawn by the console (K2)."""

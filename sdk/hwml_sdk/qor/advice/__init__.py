"""What to change: why a loop is no faster, what would lift it, and which pragmas are worth their area."""

"""Real hub processes, killed and paused at random between two simulators that fail; every law at the end."""

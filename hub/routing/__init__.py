"""Pure decisions: from what is known and what the route file says to what should be. No clock, network or database."""

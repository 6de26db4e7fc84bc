"""The command line: each command parses, calls the engine, prints; it decides nothing."""

"""Plugins in, callable Connections out: discovery, verification, and what the hub lends to connectors."""

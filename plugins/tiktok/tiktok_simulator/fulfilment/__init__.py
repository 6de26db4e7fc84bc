"""Packages and what ships them: calls, rules, labels."""

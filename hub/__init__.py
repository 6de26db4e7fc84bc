"""Carries orders, stock and shipments between sales channels and ERPs. Importing it starts and reads nothing."""

__version__ = "0.1.0"

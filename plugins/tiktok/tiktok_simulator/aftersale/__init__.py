"""Cancellations and returns: records, reasons, calls."""

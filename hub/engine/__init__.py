"""The flows: pull, decide, push, remember. The one room that joins store, host, config and routing."""

"""Products and stock: state, edits, calls."""

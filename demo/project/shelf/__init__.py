"""A small catalogue for a lending library."""

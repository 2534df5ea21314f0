"""Geometry of charts, and what is printed: pure, from model structs. Pages and PDF draw the same numbers."""

"""Geometry of what is drawn: numbers and texts in, places and paths out. No markup and no colour."""

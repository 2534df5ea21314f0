"""Work in the background, supervised."""

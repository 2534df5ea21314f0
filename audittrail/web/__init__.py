"""The web layer: JSON API, pages, and who may see what. The only door to Litestar besides `app`."""

"""What the program is about, as pure data: standard library and msgspec only."""

"""Taking out of a record what must not be kept, before anything else reads it. Pure: no file, no network, no clock."""

"""From a request's bytes to spans. Nothing here waits, stores or looks at a clock."""

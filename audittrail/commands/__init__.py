"""What the command line does, beside a running server or without one."""

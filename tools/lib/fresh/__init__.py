"""A bare Debian tree, and commands run in it as on a machine that never had anything installed."""

"""RFC 8555, one file for each resource."""

"""The DNS challenges: records, who writes them, and what the zone's own servers say."""

"""Attackers with what SECURITY.md says that they have, let loose on what is there to stop them. `tools/test redteam`."""

"""Who somebody is, and which name is whose."""

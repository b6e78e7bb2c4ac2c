"""Rooms with a policy, who is in them, and what those in charge do."""

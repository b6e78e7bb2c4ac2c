"""A module without a controller."""

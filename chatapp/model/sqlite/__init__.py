"""The message log in an SQLite file."""

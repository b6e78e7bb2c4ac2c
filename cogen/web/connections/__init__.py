"""Clients: listening sockets, TLS, places, and what a connection takes in and writes."""

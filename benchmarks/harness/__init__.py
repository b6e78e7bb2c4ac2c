"""Servers, clients and a browser, as benchmarks and tests have them."""

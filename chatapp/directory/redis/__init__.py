"""The directory that all workers of a cluster share, in Redis or Valkey. Needs `redis[hiredis]`."""

"""What several processes and machines share, in Redis or Valkey. Needs `redis[hiredis]`."""

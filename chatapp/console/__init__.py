"""What is done from a shell: by a socket of the running server, or beside the log itself."""

"""The processes of one server: supervisor and workers, signals, log files."""

"""From a command line or an ini file to options and an application."""

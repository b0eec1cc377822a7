"""The web application, the report and the command line."""

"""What a project says about a file: its build server, its version, its siblings."""

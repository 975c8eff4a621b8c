"""What a project says outside the source: Tcl scripts, configuration files, directives, the other sources."""

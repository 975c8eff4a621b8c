"""What may be written in a pragma: the table of names and options, its documentation, completion."""

"""What a design is: declarations, statements, expressions and types, and what holds for them whatever the tool does."""

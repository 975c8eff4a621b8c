"""What the tool would build of a program: loops, schedules, memories and areas, by arithmetic alone."""

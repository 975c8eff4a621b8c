"""Measure what writes Chisel: tasks, behaviour checked against independent models, pass rates with intervals."""

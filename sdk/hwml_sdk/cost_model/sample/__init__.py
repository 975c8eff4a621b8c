"""Measured schedules of a user's pipelines."""

"""The answer people get: its types, how it is put together, how it is shown."""

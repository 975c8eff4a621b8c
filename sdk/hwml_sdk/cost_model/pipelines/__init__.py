"""The pipelines behind the shipped weights."""

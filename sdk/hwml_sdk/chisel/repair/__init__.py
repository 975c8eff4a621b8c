"""Proposed changes, and the gate that only verified ones pass."""

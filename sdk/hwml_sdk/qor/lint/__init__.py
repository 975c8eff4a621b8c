"""Findings in HLS sources: what synthesis would tell only after minutes, or never."""

"""Samples and their features: files, CSV, groups by pipeline."""

"""Trained artefacts that ship with hwml: one folder each, see hwml_sdk.artifact."""

"""The stages of a check: resident compiler, fenced elaboration, lowering."""

"""Watcher, inline annotation, commit hooks and compiler hooks: they show what hwml_sdk says and decide nothing."""

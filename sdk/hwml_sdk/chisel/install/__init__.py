"""Bring and find the tool chain: pinned jars, firtool, a Java runtime."""

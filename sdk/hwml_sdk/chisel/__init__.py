"""Chisel: a warm compiler that checks, explains and fixes."""

"""The recipe that makes training samples for Chisel."""

"""Training samples for Chisel: drawn, written in many styles, kept only once they have been lowered."""

"""Train models that write Chisel: a small one from nothing, or adapters of one that is there."""

"""From what the tools say to diagnostics in a Chisel engineer's terms."""

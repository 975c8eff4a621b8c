"""Write Chisel with a language model: many samples, each checked, corrected with diagnostics, ranked."""

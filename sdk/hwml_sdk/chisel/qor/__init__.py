"""What a lowered Chisel circuit costs and how long it takes: LUT, FF, DSP, memories and latency, from firtool's IR."""

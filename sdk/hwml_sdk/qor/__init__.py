"""HLS quality of results: source in; LUT, DSP, FF and latency out."""

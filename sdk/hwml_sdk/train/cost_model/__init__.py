"""Training the Halide cost model."""

"""Training and judging the HLS QoR model."""

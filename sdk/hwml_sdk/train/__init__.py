"""Training recipes, one module each; they may import what inference must not."""

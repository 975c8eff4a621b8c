"""Recipe of the LoRA generator: configuration, data, two-stage training, evaluation with controls."""

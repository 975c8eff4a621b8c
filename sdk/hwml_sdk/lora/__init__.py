"""LoRA adapters from prompts: tokeniser of checkpoints, data, generator. Training is `hwml_sdk.train.lora`."""

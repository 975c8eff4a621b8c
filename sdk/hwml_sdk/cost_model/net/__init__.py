"""The network: weights, terms, ONNX, fitting, figures of merit."""

"""A simulation of a model: references with faults put in, served as an endpoint. It measures the loop, no model."""

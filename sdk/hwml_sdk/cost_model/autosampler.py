"""Sampling and retraining in turn, under the name that training loops import:

from hwml_sdk.cost_model import autosampler

autosampler.retrain_cost_model("generator.cpp", "its_name", 2)
"""

from __future__ import annotations

from ..train.cost_model.retrain import BatchResult, RetrainResult, retrain_cost_model
from .sample.autosampler import SampleReport, SampleSettings, sample

__all__ = ["BatchResult", "RetrainResult", "SampleReport", "SampleSettings", "retrain_cost_model", "sample"]

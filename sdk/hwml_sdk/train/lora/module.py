"""The Lightning module: reconstruction epochs first, then supervised ones, in one run that can be resumed anywhere."""

from __future__ import annotations

import math
import random
from typing import Any

import lightning
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from ...lora.hyperconv import build_network
from .config import LoraTrainConfig
from .data import Checkpoints, Steps, TrainingData, Validation
from .supervise import Judge

STEPS_AN_EPOCH = 20  # of the supervised stage


class Raw(nn.Module):
    """Standard deviations from the mean adapter to raw tokens."""

    center: torch.Tensor
    scale: torch.Tensor

    def __init__(self, data: TrainingData) -> None:
        super().__init__()
        self.register_buffer("center", torch.from_numpy(data.center))
        self.register_buffer("scale", torch.from_numpy(data.scale))

    def forward(self, deviation: torch.Tensor) -> torch.Tensor:
        """[B, T, width] -> the same shape."""
        return self.center + self.scale * deviation


class Shown(nn.Module):
    """What the network sees of conditioning vectors [B, P]; in training with noise."""

    projection: torch.Tensor

    def __init__(self, data: TrainingData, components: int, noise: float) -> None:
        super().__init__()
        self.register_buffer("projection", torch.from_numpy(data.shown))
        width = len(data.shown)
        self.components = components or width
        self.noise = noise * math.sqrt(width / self.components)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """[B, P] -> the same shape."""
        seen = vectors @ self.projection.T
        if self.training and self.noise:
            drawn = torch.randn_like(seen[:, : self.components]) * self.noise
            seen = seen + nn.functional.pad(drawn, (0, seen.shape[1] - self.components))
        return seen


def network_shape(config: LoraTrainConfig, data: TrainingData) -> dict[str, Any]:
    """What `build_network` and the ONNX export need to know."""
    model = config.model
    return {
        "prompt_width": data.encoder.width, "tokens": data.manifest.n_tokens, "width": data.manifest.width,
        "hidden": model.hidden_dim, "blocks": model.num_hyperconv_blocks, "kernel": model.kernel_size,
        "rank": model.rank,
    }  # fmt: skip


class GeneratorModule(lightning.LightningModule):
    """One generator in training. Logged: loss, mse, l1, task_loss; of validation MAE, RMSE, relative error, too."""

    def __init__(self, config: LoraTrainConfig, data: TrainingData, kind: str, judge: Judge | None) -> None:
        super().__init__()
        self.config, self.data_, self.kind, self.judge = config, data, kind, judge
        torch.manual_seed(config.training.seed)
        self.network = build_network(kind, network_shape(config, data))
        self.shown = Shown(data, config.model.prompt_components, config.training.prompt_noise)
        self.raw = Raw(data)
        self.register_buffer("mask", torch.from_numpy(data.manifest.mask().astype(np.float32)))
        self._draw = random.Random(config.training.seed)

    @property
    def supervised_epochs(self) -> int:
        """Epochs of the second stage."""
        training = self.config.training
        if self.judge is None or training.reconstruction_only:
            return 0
        return math.ceil(training.supervised_steps / STEPS_AN_EPOCH)

    @property
    def supervised(self) -> bool:
        """Whether the current epoch belongs to the second stage."""
        return int(self.current_epoch) >= self.config.training.max_epochs

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Conditioning [B, P] -> deviations from the mean adapter [B, T, width]."""
        made: torch.Tensor = self.network(self.shown(vectors))
        return made

    def reconstruction(self, batch: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """MSE and L1 over values without filling, and the deviation [B, T, width] itself."""
        vectors, wanted = batch
        error = (self(vectors) - wanted) * self.mask
        count = self.mask.sum() * len(vectors)
        return (error**2).sum() / count, error.abs().sum() / count, error

    def task_loss(self) -> torch.Tensor:
        """Mean loss of a draw of tasks through the frozen base."""
        assert self.judge is not None
        training, size = self.config.training, self.config.data.samples_per_prompt
        tasks = self.judge.draw_tasks(training.supervised_batch_tasks, self._draw)
        vectors = np.stack([self.data_.conditioning(task.name, size, self._draw) for task in tasks])
        made = self.raw(self(torch.from_numpy(vectors).to(self.device))).float().cpu()
        many, margin = training.supervised_examples, training.supervised_margin
        losses = [
            self.judge.base.loss(self.judge.adapter(tokens), task, self._draw, many, margin)
            for tokens, task in zip(made, tasks, strict=True)
        ]
        return torch.stack(losses).mean().to(self.device)

    def training_step(self, batch: Any, _index: int) -> torch.Tensor:
        """One step of whichever stage it is."""
        if self.supervised:
            loss = self.task_loss()
            self.log("task_loss_train", loss, prog_bar=True)
            return loss
        mse, l1, _ = self.reconstruction(batch)
        loss = self.config.training.mse_weight * mse + self.config.training.l1_weight * l1
        self.log_dict({"loss": loss, "mse": mse, "l1": l1}, on_step=True)
        return loss

    def validation_step(self, batch: Any, _index: int) -> None:
        """Reconstruction on validation prompts: loss in standard deviations, errors in the adapters' own units."""
        mse, l1, error = self.reconstruction(batch)
        loss = self.config.training.mse_weight * mse + self.config.training.l1_weight * l1
        raw = error * self.raw.scale
        count = self.mask.sum() * len(error)
        wanted = (self.raw(batch[1]) * self.mask).norm()
        figures = {"val_loss": loss, "val_mse": mse, "val_l1": l1, "val_mae": raw.abs().sum() / count}
        figures |= {"val_rmse": ((raw**2).sum() / count).sqrt(), "val_relative_error": raw.norm() / wanted}
        self.log_dict(figures, batch_size=len(error), sync_dist=True)

    def on_validation_epoch_end(self) -> None:
        """The loss of the validation tasks, infinite while the first stage runs: checkpoints are chosen by it."""
        value = math.inf
        if self.supervised and self.judge is not None:
            value = self.judge.validation_loss(lambda vectors: self.raw(self(vectors)))
        self.log("task_loss", value, sync_dist=True)

    def on_train_epoch_end(self) -> None:
        """Memory of the process and of the GPU."""
        try:
            import psutil
        except ImportError:
            return
        self.log("hardware/process_mb", float(psutil.Process().memory_info().rss >> 20))
        self.log("hardware/cpu_percent", psutil.cpu_percent())
        if torch.cuda.is_available():
            self.log("hardware/gpu_mb", float(torch.cuda.max_memory_allocated() >> 20))

    def train_dataloader(self) -> DataLoader[Any]:
        """Checkpoints, or numbers of supervised steps; Lightning asks before each epoch."""
        data, seed = self.config.data, self.config.training.seed + self.current_epoch
        if self.supervised:
            return DataLoader(Steps(STEPS_AN_EPOCH), batch_size=1)
        order = torch.Generator().manual_seed(seed)
        checkpoints = Checkpoints(self.data_, data.samples_per_prompt, seed)
        return DataLoader(checkpoints, batch_size=data.batch_size, shuffle=True, generator=order)

    def val_dataloader(self) -> DataLoader[Any]:
        """Validation prompts."""
        return DataLoader(Validation(self.data_), batch_size=self.config.data.batch_size)

    def configure_optimizers(self) -> Any:
        """Optimiser and schedule by name; the second stage has a rate and a schedule of its own."""
        training = self.config.training
        rate = training.learning_rate
        kinds = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "sgd": torch.optim.SGD}
        optimizer = kinds[training.optimizer_type](
            self.network.parameters(), lr=rate, weight_decay=training.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "epoch"}}

    def _factor(self, epoch: int) -> float:
        training = self.config.training
        if epoch < training.max_epochs:
            return _schedule(training.scheduler_type, epoch / training.max_epochs)
        share = (epoch - training.max_epochs) / max(1, self.supervised_epochs)
        ratio = training.supervised_learning_rate / training.learning_rate
        return ratio * _schedule(training.scheduler_type, min(1.0, share))


def _schedule(kind: str, share: float) -> float:
    if kind == "cosine":
        return 0.5 * (1 + math.cos(math.pi * share))
    return 1 - share if kind == "linear" else 1.0

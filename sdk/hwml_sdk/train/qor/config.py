"""How the QoR model is trained: all settings of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .protocol import Protocol

ROOT = Path(__file__).resolve().parents[4]
TABLE = ROOT / "data" / "qor_table"
OUT = ROOT / "exports" / "hwml_exports" / "qor"


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One run of the recipe.

    table: folder of the feature table. data: labelled designs to build the table from instead. out: the artefact.
    exclude: sources left out. share_alike: keep sources under licences that ask for the same licence in turn; whether
    weights fitted to them are adaptations is not settled (DATA_LICENSES.md), so what is shipped is trained without.
    rows_per_key: training rows taken of one kernel, stage and tool version.
    trees: boosted trees per member and target. epochs: of the dense member. processes: for feature extraction.
    """

    table: Path = TABLE
    data: Path | None = None
    out: Path = OUT
    exclude: tuple[str, ...] = ()
    share_alike: bool = False
    rows_per_key: int = 160
    trees: int = 240
    epochs: int = 60
    seed: int = 0
    processes: int = 2
    kinds: tuple[str, ...] = field(default=("trees-label", "trees-ratio", "mlp-ratio"))

    def protocol(self) -> Protocol:
        """Settings of the held-out runs."""
        from .fit import FitConfig, TreeConfig
        from .mlp import MlpConfig
        from .protocol import Protocol

        trees = TreeConfig(trees=self.trees, seed=self.seed)
        mlp = MlpConfig(epochs=self.epochs, seed=self.seed)
        return Protocol(
            FitConfig(self.kinds, trees, mlp, self.rows_per_key), evidence_per_key=min(60, self.rows_per_key)
        )

"""Where the training data come from, and the notice that stands beside each file of the feature table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """A data set: its SPDX licence, the repository it was published in, and who is to be named."""

    licence: str
    repository: str
    attribution: str


ORIGINS: dict[str, Origin] = {
    "hlsyn": Origin("CC-BY-SA-4.0", "github UCLA-DM/HLSyn", "HLSyn, UCLA-DM (arXiv 2306.09770)"),
    "hlsyn-vitis": Origin(
        "CC-BY-SA-4.0",
        "github sharc-lab/HLSFactory (LICENSE.data)",
        "HLSFactory, sharc-lab, on kernels of HLSyn, UCLA-DM (arXiv 2306.09770)",
    ),
    "hgnn-date24": Origin("Apache-2.0", "github sjtu-zhao-lab/hierarchical-gnn-for-hls", "SJTU Zhao lab (DATE 2024)"),
    "llm-dse": Origin("MIT", "github Nozidoali/LLM-DSE", "the authors of LLM-DSE"),
    "ucla-db-v18": Origin("BSD-3-Clause", "github UCLA-VAST/HARP", "UCLA-VAST, HARP"),
    "ucla-db-v20": Origin("BSD-3-Clause", "github UCLA-VAST/HARP", "UCLA-VAST, HARP"),
    "ucla-db-v21": Origin("BSD-3-Clause", "github UCLA-VAST/HARP", "UCLA-VAST, HARP"),
    "forgehls-kernels": Origin("MIT", "github zedong-peng/ForgeHLS-benchmark", "the authors of ForgeHLS"),
    "hgbo-dse": Origin("MIT", "github hzkuang/HGBO-DSE", "the authors of HGBO-DSE"),
    "streamhls": Origin("MIT", "github UCLA-VAST/Stream-HLS", "UCLA-VAST, Stream-HLS"),
    "prometheus": Origin("Apache-2.0", "github UCLA-VAST/Prometheus", "UCLA-VAST, Prometheus"),
    "collectivehls": Origin("MIT", "github aferikoglou/CollectiveHLS", "the authors of CollectiveHLS"),
    "github": Origin("MIT, Apache-2.0", "four github repositories", "their authors"),
}


def is_share_alike(licence: str) -> bool:
    """Whether a licence (SPDX names) asks for what is made of the data to be under the same licence."""
    return "-SA-" in licence.upper()


def notices(licences: Mapping[str, str]) -> dict[str, str]:
    """Text of `<source>.LICENSE.txt` for each source; `licences` is what the rows themselves say."""
    return {source: _notice(source, said) for source, said in licences.items()}


def _notice(source: str, said: str) -> str:
    origin = ORIGINS.get(source)
    if origin is None:
        return f"{source}: numbers derived from labelled designs under the licence {said}.\n"
    share = (
        "\nThis file is an adaptation (numeric features, and the counts of tool reports; changes were made) and is\n"
        "itself under CC BY-SA 4.0, https://creativecommons.org/licenses/by-sa/4.0/. It is not part of the package.\n"
        if is_share_alike(origin.licence)
        else "\nThe licence's text and copyright notice stand in that repository.\n"
    )
    return (
        f"{source}: numeric features of HLS designs and the counts their tool reported.\n"
        f"Origin: {origin.repository}. Attribution: {origin.attribution}. Licence: {origin.licence}.\n{share}"
    )

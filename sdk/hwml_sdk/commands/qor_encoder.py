"""Read a folder of the encoder path that was trained elsewhere.

It holds model.pt, x_scaler.pkl (or x_scaler.json), y_stats.json, config.json; nothing in its pickles is run. The
artefact folder that it becomes serves hwml qor --model.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..printable import printable


def main(argv: Sequence[str]) -> int:
    """`hwml qor import-encoder ...`: returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="hwml qor import-encoder", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--out", type=Path, default=Path("qor_encoder"), help="folder to write (default: qor_encoder)")
    parser.add_argument("--encoder", default="", help="folder or name of the encoder, where config.json's is not it")
    options = parser.parse_args(argv)
    from ..train.qor.encoder.classic import import_classic

    artifact = import_classic(options.folder, options.out, encoder=options.encoder)
    print(f"{printable(artifact.path)}: head of width {artifact.config['width']} on {artifact.config['encoder']}")
    return 0

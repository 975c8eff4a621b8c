"""The record of a toy language: `unit NAME WIDTH`, widths from headers, `#` comments."""

from hwml_sdk.languages import Comments, Language

LANGUAGE = Language(
    "toy",
    "toy_hdl.provider:PROVIDER",
    suffixes=(".toy", ".toyh"),
    titles=("Toy",),
    figures=True,
    patience_s=4.0,
    headers=(".toyh",),
    needs=("*.toy", "*.toyh", "*hwml.toml"),
    watched=("**/*.toyh",),
    settings_files=("toy.cfg",),
    outputs=("toy_out",),
    triggers=(".",),
    comments=Comments(line="#", tokens=r"#\{.*?(?:#\}|\Z)|#[^\n]*|\"[^\"\n]*\""),
    units=("gates",),
)

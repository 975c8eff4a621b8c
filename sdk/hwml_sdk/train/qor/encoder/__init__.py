"""The recipe of the encoder path: labelled designs to an artefact folder, with a frozen encoder and a small head."""

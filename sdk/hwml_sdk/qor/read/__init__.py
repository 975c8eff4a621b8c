"""From text to program: preprocessing, syntax tree, pragmas."""

"""Train and judge the figures of Chisel modules: circuits, yosys' labels, the counting rules' errors."""

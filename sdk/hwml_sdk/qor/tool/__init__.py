"""What the tool and its parts are like: operators, FPGA parts, how a release behaves."""

"""What pulls a prompt somewhere beside the loss: one small file and one weight of `TuningSpec` per regulariser."""

"""What pulls a prompt somewhere beside the loss: one small file a regulariser. This file is free of torch."""

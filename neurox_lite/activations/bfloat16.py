"""bfloat16 in files that do not know it: the upper 16 bits of a float32, kept as uint16."""

import numpy as np


def to_bfloat16(array: np.ndarray) -> np.ndarray:
    """Round a float32 array to bfloat16, given back as its uint16 bit pattern, same shape."""
    import torch

    rounded = torch.from_numpy(np.ascontiguousarray(array)).to(torch.bfloat16)
    return rounded.view(torch.uint16).numpy()


def from_bfloat16(bits: np.ndarray) -> np.ndarray:
    """Widen uint16 bit patterns of bfloat16 to float32, exactly, same shape."""
    return (bits.astype(np.uint32) << 16).view(np.float32)

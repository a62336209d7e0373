"""Correlations of two pictures that torch can differentiate: of the whole, of patches, of gradients.

``ncc`` is the normalised cross correlation; ``mncc`` the mean of the whole's and of the patches' (xvr, Methods
M.4); ``gradncc`` that of Sobel gradients. Pictures are (h, w) tensors; all values lie in -1..1, 1 is equal.
"""

import torch
from jaxtyping import Bool, Float

_FLAT = 1e-6
"""Variance below which a patch says nothing, as a share of the whole picture's."""


def ncc(
    one: Float[torch.Tensor, "h w"], other: Float[torch.Tensor, "h w"], counts: Bool[torch.Tensor, "h w"]
) -> torch.Tensor:
    """Normalised cross correlation over the pixels that count."""
    a, b = one[counts], other[counts]
    a, b = a - a.mean(), b - b.mean()
    return (a * b).sum() / ((a * a).sum() * (b * b).sum() + 1e-20).sqrt()


def patch_ncc(
    one: Float[torch.Tensor, "h w"], other: Float[torch.Tensor, "h w"], counts: Bool[torch.Tensor, "h w"], side: int
) -> torch.Tensor:
    """Mean of the correlation over all patches of ``side`` pixels that lie wholly within what counts."""
    pool = torch.nn.functional.avg_pool2d
    stacked = torch.stack([one, other, one * one, other * other, one * other])[:, None]
    means = pool(stacked, side, stride=1)[:, 0]
    whole = pool(counts.to(one.dtype)[None, None], side, stride=1)[0, 0] > 1.0 - 1e-4
    mean_one, mean_other, squares_one, squares_other, products = means
    var_one, var_other = squares_one - mean_one**2, squares_other - mean_other**2
    floor_one = _FLAT * float(one.detach().var()) + 1e-12
    floor_other = _FLAT * float(other.detach().var()) + 1e-12
    usual = (products - mean_one * mean_other) / (
        var_one.clamp_min(floor_one) * var_other.clamp_min(floor_other)
    ).sqrt()
    if not bool(whole.any()):
        return ncc(one, other, counts)
    return usual[whole].mean()


def mncc(
    one: Float[torch.Tensor, "h w"], other: Float[torch.Tensor, "h w"], counts: Bool[torch.Tensor, "h w"], side: int
) -> torch.Tensor:
    """Half the correlation of the whole, half the patches'."""
    return 0.5 * ncc(one, other, counts) + 0.5 * patch_ncc(one, other, counts, side)


def gradncc(
    one: Float[torch.Tensor, "h w"], other: Float[torch.Tensor, "h w"], counts: Bool[torch.Tensor, "h w"], side: int
) -> torch.Tensor:
    """Mean over both components of the patches' correlation of Sobel gradients."""
    inner = counts.clone()
    inner[[0, -1]] = False
    inner[:, [0, -1]] = False
    parts = [patch_ncc(a, b, inner, side) for a, b in zip(_sobel(one), _sobel(other), strict=True)]
    return 0.5 * (parts[0] + parts[1])


def _sobel(picture: Float[torch.Tensor, "h w"]) -> tuple[torch.Tensor, torch.Tensor]:
    kernel = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]], dtype=picture.dtype) / 8.0
    kernels = torch.stack([kernel, kernel.T])[:, None]
    padded = torch.nn.functional.pad(picture[None, None], (1, 1, 1, 1), mode="replicate")
    across, along = torch.nn.functional.conv2d(padded, kernels)[0]
    return across, along

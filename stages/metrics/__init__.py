"""One file a metric, each in three pure steps: features -> statistics -> number.

A metric's name is its file's name, then its variant: `ssim_gaussian11` is `ssim.build(axes, "ssim_gaussian11")`.
"""

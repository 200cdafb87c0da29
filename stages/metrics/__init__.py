"""One file a metric, all of it inside: what `stages.metrics.core.contract.MetricModule` lists, and how it is computed.

A metric's name is its file's name, then its variant: `ssim_gaussian11` is `ssim.build(context, "ssim_gaussian11")`.
What several metrics share lies in `core`; one metric does not import another.
"""

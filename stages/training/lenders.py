"""The classifiers' networks that training lends to parts, by what finds them: LPIPS, maps, the Frechet distance."""

from __future__ import annotations

from stages.metrics.core import classifier_maps, image_sets, lpips_network

LENDERS = (lpips_network.distance, classifier_maps.maps, image_sets.frechet_distance)  # as `TorchAccelerator` has them

"""Mask generators, one a file: `generator: NAME` in params.yaml's `masks` is the class `Generator` of NAME.py."""

"""The scores of a folder of results made elsewhere: no params.yaml, no training, no GPU."""

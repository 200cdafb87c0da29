"""WebDataset tars made by others: where they are, local copies of them, what lies in them, their images."""

"""A local page on the trained methods: choose a picture, paint a hole, see several completions."""

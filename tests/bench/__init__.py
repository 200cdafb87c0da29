"""`make bench`: each file's `rows()` times a peer and ours in turn; nothing is asserted on a clock."""

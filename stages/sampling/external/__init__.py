"""Results made elsewhere: which files complete which images, strictly checked, and stored as samples."""

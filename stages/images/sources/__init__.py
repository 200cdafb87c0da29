"""What layouts share: an image before it is prepared, the folders and files that it is listed from, its split."""

"""Results made elsewhere: a folder of PNGs, checked strictly, then scored exactly as our own."""

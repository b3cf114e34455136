"""Options of `irvis fuse` as records: the command line and the page are made of them."""

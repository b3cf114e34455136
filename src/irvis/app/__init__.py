"""The web page: a pair is dropped, fused, looked at and taken away. A thin caller of `jobs`; needs the extra `app`."""

"""Parts of networks that several methods use."""

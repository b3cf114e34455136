"""How a fusion runs: cores rewritten for speed."""

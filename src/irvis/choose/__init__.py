"""Which method for these pairs: run the candidates, look at what comes out, and say one.

`measures` looks at one fused picture, `judgement` says what the numbers are worth, `choosing` does it for a folder, and
`show` puts it into words and pictures.
"""

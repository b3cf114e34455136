"""What fusion is for: a detector of the user's, run on both cameras' pictures and on every fused one.

`layouts` knows what detectors return, `detector` runs one, `labels` reads the truth, `scoring` counts, and `detection`
does all of it for an evaluation.
"""

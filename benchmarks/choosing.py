"""The weights of `irvis choose`: which measures of a fused picture tell what was preferred in blind comparisons.

    python benchmarks/choosing.py --measure --zoo weights/ --earlier FILE   measure every ranked picture that can be made
    python benchmarks/choosing.py                                           fit, and write docs/results/choosing.md

Measures are kept in results/preference/measures.json: round → pair → method → measure → value. The pictures of the target of
training are not among them, as its rules have changed since. FILE: the weights of "encdec:default, less trained".
"""

"""Training: a recipe is a list of stages; the loop runs them with Lightning Fabric."""

"""Encoders of graphs that are trained beforehand, and what is trained on top of them."""

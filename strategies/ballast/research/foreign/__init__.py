"""A strategy of another's: where it is, whether its columns peek, what it is under the layer."""

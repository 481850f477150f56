"""Which addresses this home has, as its machine and its router know them."""

"""The images of the boards under boards/, and what is run and measured on them."""

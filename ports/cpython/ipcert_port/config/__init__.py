"""The owner's configuration: what there is to set, read strictly."""

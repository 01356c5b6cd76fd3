"""One static archive of the model libraries of a package."""

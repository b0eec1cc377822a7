"""Published architectures as plain torch modules, one file each."""

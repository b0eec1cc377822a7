"""What a server needs whatever its pages are: configuration, proxies, files, logs."""

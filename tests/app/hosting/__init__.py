"""Running a server: configuration, proxies, files, logs, its end, and the doctor."""

"""What `make bench` runs. Each module prints JSON lines; figures of one run are compared, never two machines."""

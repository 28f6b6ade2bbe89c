"""What server and clients of the benchmark do, in both architectures."""

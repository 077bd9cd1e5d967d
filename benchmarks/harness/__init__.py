"""What benchmarks/run is made of: servers, load, measurements and the report."""

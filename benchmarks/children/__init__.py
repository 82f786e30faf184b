"""Programs that the benchmarks start with the interpreter to be measured: a JSON object in, one out."""

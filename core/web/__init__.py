"""What is served: `ops` for machines that watch, `push` for marketplaces that call, `front`."""

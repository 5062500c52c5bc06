"""Programs of the project itself: what a release and the documents need."""

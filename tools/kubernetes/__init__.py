"""`make kubernetes`: every manifest taken by a real API server, under the restricted Pod Security standard."""

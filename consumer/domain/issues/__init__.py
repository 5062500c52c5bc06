"""What people are told about records: codes, and the sentences for each reader."""

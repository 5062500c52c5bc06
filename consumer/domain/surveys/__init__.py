"""What reading Swoogo says about the ledger."""

"""The pages: a second view of the documents that the commands print (K2). Nothing is decided here."""

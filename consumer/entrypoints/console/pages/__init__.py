"""A module a page: it reads documents and puts them into the words of its template."""

"""Document circulation (CU7, PR4): numbered documents with versions, approval routes and sign-off kept with a hash."""

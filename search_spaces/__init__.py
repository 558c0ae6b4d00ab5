"""One module per sweep: what is compared, what is searched, and what the paper published."""

"""Motion files: every format of the field read as one `Motion`, and the form that is written."""

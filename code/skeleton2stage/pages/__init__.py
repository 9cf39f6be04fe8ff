"""Pages that explain a verdict: static HTML, one file a motion and one for the folder, for any browser, no server."""

"""An interactive viewer of dances in the browser."""

"""Pictures and videos of motions."""

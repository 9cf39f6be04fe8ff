"""Bailando: dances as codes of the upper and the lower body, written by a GPT that listens to the music."""

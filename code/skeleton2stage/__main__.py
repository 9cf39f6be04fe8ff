"""`python -m skeleton2stage COMMAND`: what the installed command `skeleton2stage` does."""

from skeleton2stage.console import run

if __name__ == "__main__":
    run()

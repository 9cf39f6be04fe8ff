"""The imitation task: reference motions, what the policy sees, what it may do, and how its tracking is judged."""

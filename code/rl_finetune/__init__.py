"""Tree 2: the dance model, its fine-tuning by physical rewards, and its evaluation."""

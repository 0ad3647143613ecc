"""Training: one configuration -> epochs. Optimizers, schedules, stopping rules, batches, checkpoints and the loop."""

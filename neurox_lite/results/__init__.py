"""What several stages hand on: rankings, masks, ablation curves, and how results are saved."""

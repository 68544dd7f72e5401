"""What an after-action report states."""

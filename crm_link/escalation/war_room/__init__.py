"""What people see of an incident while it runs."""

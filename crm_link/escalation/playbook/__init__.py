"""What is done and said in an incident: assessment, claims, tasks, statements, approvals."""

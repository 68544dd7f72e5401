"""What a social CRM measures of people: segments, scores, journey, audience."""

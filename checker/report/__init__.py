"""A judged record as one HTML page that needs nothing but itself."""

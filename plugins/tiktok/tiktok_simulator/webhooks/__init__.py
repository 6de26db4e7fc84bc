"""What TikTok Shop tells by itself: topics, who subscribed to them, and the deliveries (9)."""

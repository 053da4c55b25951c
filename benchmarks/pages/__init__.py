"""Made pages: their makers by kind, the camera that photographs them, and how reading is scored."""

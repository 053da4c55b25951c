"""Pictures to digits: any image file -> pixels -> ink -> lines -> digits. Never TensorFlow."""

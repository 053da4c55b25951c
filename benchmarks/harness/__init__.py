"""How measurements are run and kept: processes, requests, a browser, installations, JSON lines."""

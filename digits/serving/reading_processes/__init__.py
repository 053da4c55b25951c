"""The processes that read: whatever a picture does to one of them, the service goes on."""

"""What stands between the network and the application: sockets, connections, who may ask."""

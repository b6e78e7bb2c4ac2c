"""What is alive: the hub, rooms, clients and their polls; errors here know no HTTP."""

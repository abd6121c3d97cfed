"""What the program does in a second, each number beside that of a peer in the same run (`make bench`)."""

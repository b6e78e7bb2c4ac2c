"""The image of the chat, built and run without a container runtime."""

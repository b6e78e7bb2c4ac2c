"""The program `chatapp`, by which the chat is run without an ini and looked after with one."""

"""What the program costs in time, bytes and memory, measured on this machine beside a peer where there is one.

Each module measures one thing and returns figures; nothing here is a test, and no time is ever asserted.
"""

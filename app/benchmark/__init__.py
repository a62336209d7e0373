"""Speed and accuracy of this program beside other libraries, on the same work."""

"""Reports to be kept, printed and signed: figures and pages as text and bytes, written by whoever asked."""

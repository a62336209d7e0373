"""The computing core of Duoscope: no Qt, no VTK; what computes never touches the disk."""

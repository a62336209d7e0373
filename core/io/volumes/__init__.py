"""Read volumes of voxels: NIfTI, NRRD, DICOM series and stacks of TIFF."""

from core.io.volumes.read import ENDINGS, is_volume, read_link, read_voxels, series_in

__all__ = ["ENDINGS", "is_volume", "read_link", "read_voxels", "series_in"]

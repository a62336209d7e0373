"""One small tree of exceptions whose messages say what is wrong, where, and what to do."""


class DuoscopeError(Exception):
    """Anything a user can act on; the message is a complete sentence fit to be shown."""


class GeometryError(DuoscopeError):
    """A rotation that is no rotation, points at infinity, a view that sees nothing."""


class CalibrationError(DuoscopeError):
    """A calibration that is broken or does not belong to the pictures."""


class ImageError(DuoscopeError):
    """A picture that is missing, unreadable, or unusable."""


class PairingError(ImageError):
    """The pictures of two planes cannot be paired."""


class MeshError(DuoscopeError):
    """A surface that is empty, open, self-crossing or otherwise unusable."""


class VolumeError(DuoscopeError):
    """A volume of voxels that is missing, damaged, incomplete or too large."""


class UnitsError(MeshError):
    """The units of a surface are unknown or make no sense."""


class PoseError(DuoscopeError):
    """Poses that are not rigid motions, not numbers, or do not fit the trial."""


class RegistrationError(DuoscopeError):
    """A registration that cannot be started as asked."""


class DeviceError(RegistrationError):
    """The computing device that was asked for is not there."""


class StudyError(DuoscopeError):
    """A study that is missing, damaged or inconsistent."""


class StudyTooNewError(StudyError):
    """A study written by a newer version of the program."""


class StudyLockedError(StudyError):
    """A study that another window or command has open for writing."""


class StorageError(StudyError):
    """The disk refuses: full, read-only or gone."""

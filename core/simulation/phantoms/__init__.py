"""Pictures of calibration phantoms with known truth; shares nothing with the calibration but the phantoms' data."""

"""SCSI commands spoken straight to path devices, without helper programs."""

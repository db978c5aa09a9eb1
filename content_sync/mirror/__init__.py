"""The public tree in an S3 bucket, for a CDN or a standby."""

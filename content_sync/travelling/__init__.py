"""What leaves the site as one file: the edition that opens from a folder, and proceedings."""

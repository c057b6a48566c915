"""Protocol adapters, one folder each; they carry messages between equipment and the twin."""

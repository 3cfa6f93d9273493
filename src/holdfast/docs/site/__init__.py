"""What Sphinx reads: settings (conf.py), the order of the pages (navigation.py), and the styles."""

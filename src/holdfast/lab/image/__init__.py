"""Build and find the images that a lab's nodes boot from."""

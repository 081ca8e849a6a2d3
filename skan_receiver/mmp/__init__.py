"""What MMPs and networks say: pure, a file per matter."""

"""Who receives what, by which way, and with what proof."""

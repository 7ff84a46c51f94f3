"""What files say of themselves; everything in them is untrusted text of bounded length."""

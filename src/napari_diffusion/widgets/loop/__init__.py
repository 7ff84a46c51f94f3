"""The dock *Diffusion loop*."""

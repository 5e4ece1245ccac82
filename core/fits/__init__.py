"""What priors are fitted on and with, below them: moments, references, and a small autoencoder.

`moments` and `autoencoder` are arrays, which pages read. `training` trains the autoencoder and is
the one module with torch; a prior imports it when it must train.
"""

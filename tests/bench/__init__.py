"""How fast it is, as ratios measured in one sitting: `make bench`."""

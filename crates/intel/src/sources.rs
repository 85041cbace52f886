//! Sources that are asked over the network.

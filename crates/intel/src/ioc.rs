//! Indicator lists: import, and look-up in memory.

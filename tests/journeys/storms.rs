//! Many alerts at once: few incidents, and every alert kept (REL-03, REL-19).

//! Selkie.

//! Recordings and files that are written.

//! The clock audit: every direct read of the wall clock, found, placed and kept from growing.
